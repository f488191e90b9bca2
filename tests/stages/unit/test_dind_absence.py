"""A job without a sidecar for which no service is listed."""

from pathlib import Path

import pytest

from executor.errors import ServiceNotReady
from executor.log import AdministratorLog
from executor.names import KEEP_LABEL
from executor.runner import notes
from executor.runner.context import RunContext
from executor.runner.environ import RunnerEnv
from executor.stages.dind_absence import blame, go_on_without, go_without_dind
from tests.builders import context_values
from tests.engine.stub import StubEngine, http, refusal

ERROR = ServiceNotReady("It printed private-value-0013.")


def env_of(directory: Path) -> RunnerEnv:
    """Return the environment of a call whose notes lie in a directory."""
    return RunnerEnv({"TMPDIR": str(directory)})


def test_the_author_is_told_why_without_a_secret(
    stub: StubEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    """One sentence says that `docker` is not there, and the sidecar's words are masked."""
    stub.on("DELETE", "/containers/job-dind", http(204))
    log = AdministratorLog("run")
    log.hide(["private-value-0013"])

    go_without_dind(stub.engine(), "job-dind", {}, ERROR, log)

    assert capfd.readouterr().err == (
        "WARNING: `docker` is not available in this job, because its Docker-in-Docker sidecar, for"
        " which no service is listed, did not come up: It printed [MASKED].\n"
    )


@pytest.mark.parametrize("answer", [refusal(404, "no such container"), refusal(500, "busy"), b""])
def test_an_engine_that_does_not_remove_it(stub: StubEngine, answer: bytes) -> None:
    """That is for cleanup, and fails no job."""
    stub.on("DELETE", "/containers/job-dind", answer)

    go_without_dind(stub.engine(), "job-dind", {}, ERROR, AdministratorLog("prepare"))

    assert stub.asked("DELETE", "/containers/job-dind")


@pytest.mark.parametrize(
    ("labels", "volumes"), [({KEEP_LABEL: "true"}, "v=0"), ({"a": "b"}, "v=1"), (None, "v=1")]
)
def test_one_of_an_earlier_call(
    stub: StubEngine, tmp_path: Path, labels: dict[str, str] | None, volumes: str
) -> None:
    """Its own labels say what becomes of its volumes; why it is missing is noted for a later failure."""
    notes.leave(str(tmp_path), notes.OPTIONAL_DIND)
    stub.on("GET", "/containers/job-dind/json", http(200, {"Config": {"Labels": labels}}))
    stub.on("DELETE", "/containers/job-dind", http(204))

    go_on_without(stub.engine(), "job-dind", env_of(tmp_path), ERROR, AdministratorLog("run"))

    (removed,) = stub.asked("DELETE", "/containers/job-dind")
    assert volumes in removed.path
    assert notes.read(str(tmp_path), notes.WITHOUT_DIND) == str(ERROR).encode()


@pytest.mark.parametrize("left", [(), (notes.OPTIONAL_DIND, notes.LISTENED)])
def test_one_that_a_job_needs(stub: StubEngine, tmp_path: Path, left: tuple[str, ...]) -> None:
    """A service is listed for it, or an earlier script may have used it."""
    for each in left:
        notes.leave(str(tmp_path), each)

    with pytest.raises(ServiceNotReady):
        go_on_without(stub.engine(), "job-dind", env_of(tmp_path), ERROR, AdministratorLog("run"))

    assert stub.received == []


@pytest.mark.parametrize(("sub_stage", "fails"), [("step_script", True), ("after_script", False)])
def test_a_script_that_failed_without_its_daemon(
    stub: StubEngine,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    sub_stage: str,
    *,
    fails: bool,
) -> None:
    """That is a system failure, but of after_script, which decides nothing, a warning."""
    notes.leave(str(tmp_path), notes.WITHOUT_DIND, b"The dind sidecar is gone.")
    told = (stub.engine(), RunContext(context_values()), env_of(tmp_path), sub_stage)

    if fails:
        with pytest.raises(ServiceNotReady, match="The dind sidecar is gone"):
            blame(*told, AdministratorLog("run"))
    else:
        blame(*told, AdministratorLog("run"))
        assert capfd.readouterr().err == "WARNING: The dind sidecar is gone.\n"

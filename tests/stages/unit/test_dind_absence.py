"""A job without a sidecar for which no service is listed."""

import pytest

from executor.errors import ServiceNotReady
from executor.log import AdministratorLog
from executor.names import KEEP_LABEL
from executor.stages.dind_absence import go_on_without, go_without_dind
from tests.engine.stub import StubEngine, http, refusal

ERROR = ServiceNotReady("It printed private-value-0013.")


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
    stub: StubEngine, labels: dict[str, str] | None, volumes: str
) -> None:
    """Its own labels say what becomes of its volumes."""
    stub.on("GET", "/containers/job-dind/json", http(200, {"Config": {"Labels": labels}}))
    stub.on("DELETE", "/containers/job-dind", http(204))

    go_on_without(stub.engine(), "job-dind", ERROR, AdministratorLog("run"))

    (removed,) = stub.asked("DELETE", "/containers/job-dind")
    assert volumes in removed.path

"""How often a script may begin where its container is lost."""

from pathlib import Path

import pytest

from executor.engine.docker import Engine
from executor.errors import ContainerLost
from executor.log import AdministratorLog
from executor.runner import notes
from executor.runner.environ import RunnerEnv
from executor.scripts import retries
from executor.scripts.attempts import Place
from executor.scripts.retries import _attempts, retry


@pytest.mark.parametrize(
    ("text", "attempts"),
    [("", 1), ("1", 1), ("2", 2), ("10", 10), ("11", 1), ("999", 1), ("0", 1), ("-1", 1), ("x", 1)],
)
def test_a_number_of_attempts_out_of_range_is_one(text: str, attempts: int) -> None:
    """One attempt is made, as gitlab-runner says when it warns."""
    given = RunnerEnv({"CUSTOM_ENV_EXECUTOR_JOB_SECTION_ATTEMPTS": text})
    assert _attempts(given) == attempts


def test_nobody_retries_a_job_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The warning of a container that is replaced does not ask anybody to retry the job."""
    monkeypatch.setattr(retries, "replace", lambda *_: True)
    monkeypatch.setattr(retries, "run_once", lambda *_: 0)
    place = Place(Engine.at("unix:///x", "", tls_verify=False), RunnerEnv({}), "c", helps=True)
    lost = ContainerLost("The container c stopped. Retry the job.", begun=False)

    assert retry(place, "get_sources", b"", AdministratorLog("run"), lambda: None, lost) == 0

    told = "WARNING: The container c stopped. A new container takes its place.\n"
    assert capfd.readouterr().err == told


def test_a_job_that_was_ended_gets_no_other_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was ended before its script began, because its services filled the disk."""
    monkeypatch.setattr(retries, "replace", lambda *_: pytest.fail("a container is made"))
    notes.leave(str(tmp_path), notes.OVERRUN)
    env = RunnerEnv({"TMPDIR": str(tmp_path)})
    place = Place(Engine.at("unix:///x", "", tls_verify=False), env, "c", helps=False)
    lost = ContainerLost("The container c stopped. Retry the job.", begun=False)

    with pytest.raises(ContainerLost):
        retry(place, "build_script", b"", AdministratorLog("run"), lambda: None, lost)

"""The hooks of one job, and what they leave."""

import io
import tempfile
from pathlib import Path

import pytest

from executor.local.project.variables import Variable
from executor.local.runner.cancellation import Cancellation
from executor.local.runner.directories import Directories
from executor.local.runner.hooks import Hooks
from executor.local.runner.job_log import JobLog, Masker, Terminal
from executor.local.runner.job_variables import all_variables
from executor.local.runner.registration import Hook, Registration
from tests.local.samples import SLOT, an_assignment

PASSWORD = Variable("PASSWORD", "hunter2-hunter2", public=False, masked=True)


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def some_hooks(*given: Variable, cleanup: str = "/bin/true") -> Hooks:
    """Return the hooks of a job with a password."""
    registration = Registration(name="trial", run=Hook("/bin/true"), cleanup=Hook(cleanup))
    log = JobLog(Terminal(io.StringIO()), Masker([]), "")
    return Hooks(an_assignment(PASSWORD, *given), registration, log, hurry=Cancellation())


def test_a_payload_that_cannot_be_written_is_not_left(tmp_path: Path) -> None:
    """Half of it may hold a password."""
    with pytest.raises(UnicodeEncodeError):
        some_hooks(Variable("A", "\ud800"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cleanup", ["/bin/true", "/bin/false", "/nowhere"])
def test_the_payload_goes_with_the_job(tmp_path: Path, cleanup: str) -> None:
    """However its cleanup ends."""
    hooks = some_hooks(cleanup=cleanup)
    assert any("hunter2" in each.read_text() for each in tmp_path.rglob("response.json"))

    assignment = an_assignment()
    registration = Registration(name="trial", run=Hook("/bin/true"))
    hooks.clean_up(all_variables(assignment, registration, SLOT, where=Directories()))

    assert list(tmp_path.iterdir()) == []


def test_the_payload_goes_where_cleanup_cannot_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised on the way."""
    hooks = some_hooks()
    monkeypatch.setattr(hooks, "_call_cleanup", raising)

    with pytest.raises(ZeroDivisionError):
        hooks.clean_up(None)  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def raising(_: object) -> None:
    raise ZeroDivisionError

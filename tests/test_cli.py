"""From a command to its exit code: whatever happens, 1 only ever means the author's fault."""

import json
import os
from pathlib import Path

import pytest

from tests.commanding import BUILD_FAILURE, SYSTEM_FAILURE, call, raising


def test_a_failed_script_needs_no_words() -> None:
    """gitlab-runner prints the sentence itself."""
    done = call("run", before=raising("errors.ScriptFailed(7)", "run"))

    assert (done.returncode, done.stdout, done.stderr) == (BUILD_FAILURE, "", "")


def test_a_cancelled_stage_needs_no_words() -> None:
    """gitlab-runner says itself that the author pressed the button."""
    done = call("run", before=raising("errors.Cancelled('x')", "run"))

    assert (done.returncode, done.stdout, done.stderr) == (SYSTEM_FAILURE, "", "")


def test_exit_codes_without_gitlab_runner() -> None:
    """A stage that is called by hand uses the numbers that gitlab-runner uses."""
    environment = {"PATH": os.environ["PATH"]}

    build = call("config", before=raising("errors.PolicyViolation('a')"), env=environment)
    system = call("config", before=raising("ValueError()"), env=environment)

    assert (build.returncode, system.returncode) == (1, 2)


SENDS_TERM = """\
import os, signal, time
from executor.stages import {stage}
def stage_main(env, args, log):
    {act}
{stage}.main = stage_main
"""
KILL = "os.kill(os.getpid(), signal.SIGTERM)"


@pytest.mark.parametrize("stage", ["config", "prepare", "run"])
def test_term_ends_a_stage(stage: str) -> None:
    """The stage ends at once and says nothing."""
    before = SENDS_TERM.format(stage=stage, act=f"{KILL}; time.sleep(30)")

    done = call(stage, before=before)

    assert (done.returncode, done.stderr) == (SYSTEM_FAILURE, "")


def test_a_term_waits_for_an_import() -> None:
    """A term does not interrupt an import, which could keep its lock, and ends the stage after it."""
    act = f"""
    import sys
    class Finder:
        def find_spec(self, *_names):
            {KILL}; time.sleep(0.05)
            print('imported', flush=True)
    sys.meta_path.insert(0, Finder())
    try:
        import nothing
    except ImportError:
        time.sleep(30)
    """
    done = call("prepare", before=SENDS_TERM.format(stage="prepare", act=act))

    assert (done.returncode, done.stdout, done.stderr) == (SYSTEM_FAILURE, "imported\n", "")


def test_term_does_not_end_cleanup() -> None:
    """What was begun is finished: gitlab-runner would call nobody else."""
    before = SENDS_TERM.format(stage="cleanup", act=f"{KILL}; print('cleaned up')")

    done = call("cleanup", before=before)

    assert (done.returncode, done.stdout) == (0, "cleaned up\n")


def test_a_second_term_does_not_interrupt_the_first() -> None:
    """What a stage does about the first one is finished."""
    act = f"""
    try:
        {KILL}; time.sleep(30)
    finally:
        {KILL}; print('finished')
    """
    done = call("prepare", before=SENDS_TERM.format(stage="prepare", act=act))

    assert (done.returncode, done.stdout, done.stderr) == (SYSTEM_FAILURE, "finished\n", "")


@pytest.mark.parametrize("where", ["log.event", "log.close"])
def test_a_term_while_a_failure_is_reported(where: str) -> None:
    """The signal may come at any moment, also when a stage has failed or succeeded already."""
    name = where.partition(".")[2]
    before = f"""
import os, signal
from executor.log import AdministratorLog
real = AdministratorLog.{name}
def late(self, *args, **facts):
    {KILL}
    return real(self, *args, **facts)
AdministratorLog.{name} = late
{raising("errors.PolicyViolation('a')")}
"""
    done = call("config", before=before)

    assert done.returncode in {BUILD_FAILURE, SYSTEM_FAILURE}
    assert "unexpected" not in done.stderr


def test_the_unexpected_goes_to_the_operators_log(tmp_path: Path) -> None:
    """The log has the place of the fault, and not its text."""
    path = tmp_path / "administrator.log"
    before = (
        "from executor.stages import config\n"
        "def stage_main(env, args, log):\n"
        f"    log.open('file:{path}', 1, 2)\n"
        "    raise ValueError('hunter2')\n"
        "config.main = stage_main"
    )

    done = call("config", before=before)

    assert done.returncode == SYSTEM_FAILURE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["event"] for each in lines] == ["unexpected error", "stage ended"]
    assert "ValueError at " in lines[0]["traceback"]
    assert "stage_main" in lines[0]["traceback"]
    assert "hunter2" not in path.read_text()

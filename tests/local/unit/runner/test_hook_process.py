"""One call of a hook as a process."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.local.runner.cancellation import Cancellation
from executor.local.runner.hook_process import Ending, Surroundings, call_hook
from executor.local.runner.job_log import Capture
from executor.local.runner.registration import Hook


class Call:
    """A hook that is a shell script, and what comes of it."""

    def __init__(self, directory: Path, *, graceful_seconds: float = 60) -> None:
        self.cancellation = Cancellation()
        self.hurry = Cancellation()
        self.stdout = Capture()
        self.stderr = Capture()
        self.around = Surroundings(
            environment={"PATH": os.environ["PATH"], "GIVEN": "yes"},
            directory=directory,
            graceful_kill_seconds=graceful_seconds,
            force_kill_seconds=60,
            cancellation=self.cancellation,
            hurry=self.hurry,
        )

    def run(self, script: str, *arguments: str, timeout: int | None = None) -> Ending:
        hook = Hook("/bin/bash", ("-c", script, "hook"), timeout)
        return call_hook(hook, arguments, self.around, stdout=self.stdout, stderr=self.stderr)

    def cancel_when(self, marker: Path) -> None:
        def wait() -> None:
            while not marker.exists():
                time.sleep(0.01)
            self.cancellation.call_off("canceled")

        threading.Thread(target=wait, daemon=True).start()


def test_a_hook_is_called_as_gitlab_runner_calls_it(tmp_path: Path) -> None:
    """A call has arguments, environment, directory, nothing on stdin and its own process group."""
    call = Call(tmp_path)
    script = """
echo "$@"; pwd; echo "$GIVEN"; readlink /proc/self/fd/0; echo warned >&2
read -r _ _ _ _ group _ < /proc/$$/stat; [ "$group" = $$ ] && echo own group
"""
    ending = call.run(script, "one", "two words")
    assert ending.exit_code == 0
    assert call.stdout.content.decode().splitlines() == [
        "one two words",
        str(tmp_path),
        "yes",
        "/dev/null",
        "own group",
    ]
    assert call.stderr.content == b"warned\n"


@pytest.mark.parametrize(
    ("script", "expected"), [("exit 0", 0), ("exit 1", 1), ("exit 2", 2), ("kill -KILL $$", -9)]
)
def test_the_exit_code_is_told(tmp_path: Path, script: str, expected: int) -> None:
    """A signal is a negative one."""
    ending = Call(tmp_path).run(script)
    assert expected == ending.exit_code


def test_a_hook_that_cannot_start_is_named(tmp_path: Path) -> None:
    """The ending has no exit code and names the hook."""
    hook = Hook(str(tmp_path / "absent"))
    call = Call(tmp_path)
    ending = call_hook(hook, (), call.around, stdout=call.stdout, stderr=call.stderr)
    assert ending.exit_code is None
    assert "absent cannot be started: No such file" in ending.problem


def test_a_variable_that_is_too_large_is_explained(tmp_path: Path) -> None:
    """The kernel's own words name arguments, and there are none."""
    call = Call(tmp_path)
    around = replace(call.around, environment={"LARGE": "x" * 131072})

    ending = call_hook(Hook("/bin/true"), (), around, stdout=call.stdout, stderr=call.stderr)

    assert "no variable may be larger than 128 KiB" in ending.problem


def test_a_child_that_holds_the_output_keeps_the_call_open(tmp_path: Path) -> None:
    """As with gitlab-runner, the call ends when the pipes do."""
    call = Call(tmp_path)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    held = f"( read -r _ < {gate}; echo late ) &"
    threading.Thread(target=gate.write_text, args=("go\n",), daemon=True).start()
    ending = call.run(held)
    assert ending.exit_code == 0
    assert call.stdout.content == b"late\n"


def test_a_cancelled_call_gets_sigterm_with_its_whole_group(tmp_path: Path) -> None:
    """Children get the signal too, and what they still say is heard."""
    call = Call(tmp_path)
    marker = tmp_path / "started"
    call.cancel_when(marker)
    child = f"trap 'echo child; exit' TERM; touch {marker}; while :; do sleep 0.05; done"
    ending = call.run(f"trap 'wait; echo parent; exit 7' TERM; ( {child} ) & wait")
    assert ending.exit_code == 7
    assert sorted(call.stdout.content.split()) == [b"child", b"parent"]
    assert ending.problem == ""


def test_a_call_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """After the graceful time, the group gets SIGKILL."""
    call = Call(tmp_path, graceful_seconds=0.2)
    marker = tmp_path / "started"
    call.cancel_when(marker)
    ending = call.run(f"trap '' TERM; touch {marker}; while :; do sleep 0.05; done")
    assert ending.exit_code == -9


def test_a_call_that_takes_too_long_is_stopped_and_told(tmp_path: Path) -> None:
    """The ending names the hook and the time that it may take."""
    ending = Call(tmp_path).run("sleep 60", timeout=1)
    assert ending.problem == "/bin/bash took longer than 1 seconds"


def test_a_call_after_its_cancellation_is_stopped_at_once(tmp_path: Path) -> None:
    """It does not wait for a signal that was before it."""
    call = Call(tmp_path)
    call.cancellation.call_off("canceled")
    ending = call.run("sleep 60")
    assert ending.exit_code == -15


def test_insisting_shortens_the_graceful_time(tmp_path: Path, mocker: MockerFixture) -> None:
    """A call that somebody waits for is killed long before its graceful time is over."""
    mocker.patch("executor.local.runner.hook_process._HURRIED_GRACE_SECONDS", 0.2)
    call = Call(tmp_path, graceful_seconds=100_000)
    marker = tmp_path / "started"
    call.cancel_when(marker)
    call.hurry.call_off("canceled")
    ending = call.run(f"trap '' TERM; touch {marker}; while :; do sleep 0.05; done")
    assert ending.exit_code == -9


@pytest.mark.parametrize(("key", "value"), [("A", "x\0y"), ("A", "\ud800"), ("A\0", "x")])
def test_a_variable_that_no_environment_has_is_explained(
    tmp_path: Path, key: str, value: str
) -> None:
    """Python's own error is of another kind than the system's."""
    call = Call(tmp_path)
    around = replace(call.around, environment={key: value})

    ending = call_hook(Hook("/bin/true"), (), around, stdout=call.stdout, stderr=call.stderr)

    assert ending.exit_code is None
    assert "holds a NUL or a lone surrogate" in ending.problem

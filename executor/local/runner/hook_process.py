"""One call of one hook as a process: its own group, nothing on stdin, and the way it is stopped."""

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from executor.local.runner.cancellation import Cancellation
from executor.local.runner.job_log import Sink
from executor.local.runner.registration import Hook

# How long a stopped hook may still take once somebody insists.
_HURRIED_GRACE_SECONDS = 5
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a call is given, and how it is stopped."""

    environment: Mapping[str, str]
    directory: Path
    graceful_kill_seconds: float
    force_kill_seconds: float
    cancellation: Cancellation
    hurry: Cancellation


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: a negative exit code is a signal, none means that there is no process."""

    exit_code: int | None
    seconds: float
    problem: str = ""


def call_hook(
    hook: Hook, arguments: tuple[str, ...], around: Surroundings, *, stdout: Sink, stderr: Sink
) -> Ending:
    """Run a hook to its end, or stop it when the call is cancelled or takes too long."""
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            [hook.executable, *hook.arguments, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=around.directory,
            env=around.environment,
            bufsize=0,
            process_group=0,
        )
    except OSError as error:
        problem = f"{hook.executable} cannot be started: {error.strerror}"
        if error.errno == errno.E2BIG:
            problem += (
                "; no variable may be larger than 128 KiB, because hooks get it in"
                " their environment: use a file in the project instead"
            )
        return Ending(None, time.monotonic() - started, problem)
    except ValueError:
        # The operating system's own kind of text, which a variable or the job's name is not.
        problem = (
            f"{hook.executable} cannot be started: a variable of the job or of the registration holds"
            " a NUL or a lone surrogate"
        )
        return Ending(None, time.monotonic() - started, problem)
    running = _Running(process, stdout, stderr)
    with around.cancellation.heard_by(running.wake.set):
        running.wake.wait(hook.timeout_seconds)
    if running.finished.is_set():
        return Ending(process.returncode, time.monotonic() - started)
    problem = _stop(running, around)
    seconds = time.monotonic() - started
    if not problem and not around.cancellation.reason:
        problem = f"{hook.executable} took longer than {hook.timeout_seconds} seconds"
    exit_code = process.returncode if running.finished.is_set() else None
    return Ending(exit_code, seconds, problem)


class _Running:
    """A process and the threads that copy its output.

    It has finished when nobody holds its pipes any more, as with gitlab-runner: a child left in
    the background keeps the stage open.
    """

    def __init__(self, process: subprocess.Popen[bytes], stdout: Sink, stderr: Sink) -> None:
        self.process = process
        self.finished = threading.Event()
        self.wake = threading.Event()
        readers = [
            threading.Thread(target=_copy, args=(pipe, sink), daemon=True)
            for pipe, sink in ((process.stdout, stdout), (process.stderr, stderr))
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._await_end, args=(readers,), daemon=True).start()

    def _await_end(self, readers: list[threading.Thread]) -> None:
        for reader in readers:
            reader.join()
        self.process.wait()
        self.finished.set()
        self.wake.set()

    def signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            # The group is gone; somebody outside it may still hold the pipes.
            return


def _copy(pipe: IO[bytes] | None, sink: Sink) -> None:
    if pipe is not None:
        with pipe:
            while chunk := pipe.read(_CHUNK_BYTES):
                sink.feed(chunk)
    sink.close()


def _stop(running: _Running, around: Surroundings) -> str:
    """Ask the group to end, then kill it; return what went wrong, if anything did."""
    running.wake.clear()
    running.signal(signal.SIGTERM)
    if not running.finished.is_set():
        with around.hurry.heard_by(running.wake.set):
            running.wake.wait(around.graceful_kill_seconds)
        if not running.finished.is_set() and around.hurry.reason:
            running.finished.wait(min(around.graceful_kill_seconds, _HURRIED_GRACE_SECONDS))
    if running.finished.is_set():
        return ""
    running.signal(signal.SIGKILL)
    if running.finished.wait(around.force_kill_seconds):
        return ""
    return f"failed to kill process PID={running.process.pid}, likely process is dormant"

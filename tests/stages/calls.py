"""Calls the hooks for one job, as gitlab-runner does: environment, files, process group, pipes."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests import planning, recording
from tests.hooks import HOOKS
from tests.stages import scripts
from tests.stages.request import JobRequest

BUILD_FAILURE, SYSTEM_FAILURE = 1, 2
_IMPATIENT = """\
import sys
from executor.__main__ import main
from executor.scripts import script
script._BEGIN_SECONDS = 1.0
sys.argv.insert(1, "run")
main()
"""
IMPATIENT_RUN = (sys.executable, "-I", "-c", _IMPATIENT)
"""A program for `run` that waits a second, and not many, for what another call has left."""
PREDEFINED = ("prepare_script", "get_sources", "cleanup_file_variables")

_LONGEST_SECONDS = 400.0
"""More than a stage waits for an engine that keeps silent, so that the stage says what it waits for."""
_ARG_START = 48 - 3
"""Where /proc/PID/stat says where the command line begins, counted from behind the name (proc(5))."""
_OWN = ("DOCKER_", "CUSTOM_ENV_", "CI_", "DIND_EXECUTOR_")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has ended."""

    stage: str
    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Return what the job log shows of it."""
        return self.stdout + self.stderr

    def passed(self) -> "Call":
        """Return this call; fails the test where it failed."""
        assert self.code == 0, f"{self.stage} ended with {self.code}:\n{self.output}"
        return self


def assert_error(call: Call, code: int, *sentences: str) -> None:
    """Assert a failure that is told in one ERROR, with these words, at the end of stderr."""
    assert call.code == code, call.output
    lines = call.stderr.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith("ERROR: ")]
    assert len(starts) == 1, call.stderr
    told = "".join(lines[starts[0] :])
    for sentence in sentences:
        assert sentence in told
    assert "Traceback" not in call.output


class Running:
    """A call that goes on.  As for gitlab-runner, it ends when nobody holds its pipes any more."""

    def __init__(self, stage: str, process: subprocess.Popen[bytes], calls: list[Call]) -> None:
        self.stage = stage
        self.process = process
        self.note: Path | None = None
        """Where a prepare notes what it does, if it is to be compared."""
        self._calls = calls
        self._changed = threading.Condition()
        self._read = {1: b"", 2: b""}
        self._open = {1, 2}
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [self._reader(1, process.stdout), self._reader(2, process.stderr)]

    def _reader(self, number: int, pipe: IO[bytes]) -> threading.Thread:
        def read() -> None:
            with pipe:
                while data := os.read(pipe.fileno(), 65536):
                    with self._changed:
                        self._read[number] += data
                        self._changed.notify_all()
            with self._changed:
                self._open.discard(number)
                self._changed.notify_all()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def wait_for(self, text: str, seconds: float = _LONGEST_SECONDS) -> None:
        """Return once the call has printed `text`; fails the test where it ends without."""
        with self._changed:
            self._changed.wait_for(lambda: self._printed(text) or not self._open, timeout=seconds)
            assert self._printed(text), f"{self.stage} did not print {text!r}:\n{self._read}"

    def signal(self, number: signal.Signals) -> None:
        """Signal the process group; one that has ended already is fine."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def finish(self) -> Call:
        """Wait for the end as `_finish`, and compare what prepare asked for with its plan."""
        call = self._finish()
        if self.note:
            planning.compare(self.note)
        planning.compare_recorded()
        return call

    def _finish(self) -> Call:
        """Wait for the end, and add the call to its job's; one that does not end fails the test."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        for reader in self._readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        ended = not any(reader.is_alive() for reader in self._readers)
        if not ended:
            self.signal(signal.SIGKILL)
        code = self.process.wait(_LONGEST_SECONDS)
        assert ended, f"{self.stage} did not end, or something holds its pipes:\n{self._read}"
        out, err = (self._read[number].decode(errors="replace") for number in (1, 2))
        call = Call(self.stage, code, out, err)
        self._calls.append(call)
        return call

    def _printed(self, text: str) -> bool:
        return any(text.encode() in read for read in self._read.values())


class JobCalls:
    """One job between gitlab-runner and the hooks."""

    def __init__(self, request: JobRequest, directory: Path, settings: Path) -> None:
        self.request = request
        self.settings = settings
        self.home = directory / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.calls: list[Call] = []
        self.under: Sequence[str] = ()
        """A command that calls the hooks, which are its last arguments."""
        self._directory = directory
        self.path = os.environ["PATH"]
        self.begin()

    @property
    def id(self) -> int:
        return self.request.id

    def begin(self) -> None:
        """Begin a prepare attempt: a new temp directory with a new payload file."""
        self.temp = self._directory / f"custom-executor{secrets.randbelow(1 << 32)}"
        self.temp.mkdir(mode=0o700)
        self.response_file = self.temp / "response.json"
        self.response_file.touch(mode=0o600)
        self.response_file.write_text(json.dumps(self.request.payload()) + "\n", encoding="utf-8")
        self.exit_code_file = self.temp / "build_exit_code"
        self._job_env: dict[str, str] = {}
        self._builds_dir = ""

    def config(self) -> Call:
        """Call config, and take its answer to heart."""
        call = self.call("config")
        if call.code == 0:
            answer = json.loads(call.stdout)
            self._job_env = answer["job_env"]
            self._builds_dir = answer["builds_dir"]
        return call

    def prepare(self) -> Call:
        """Call prepare."""
        return self.call("prepare")

    def cleanup(self) -> Call:
        """Call cleanup."""
        return self.call("cleanup")

    def up(self) -> Call:
        """Make the environment and fetch the sources; returns what prepare said."""
        self.config().passed()
        call = self.prepare().passed()
        self.run("prepare_script", scripts.whole(["echo Running on $(hostname)..."])).passed()
        self.run("get_sources", scripts.sources(self.values, self._files)).passed()
        return call

    def run(self, sub_stage: str, script: str) -> Call:
        """Call run for one sub-stage."""
        return self.start_run(sub_stage, script).finish()

    def script(self, *commands: str, sub_stage: str = "build_script") -> Call:
        """Run an author's commands."""
        return self.run(sub_stage, self.authors(*commands))

    def authors(self, *commands: str) -> str:
        """Return an author's commands as gitlab-runner's script."""
        return scripts.authors(self.values, self._files, commands)

    def start_run(self, sub_stage: str, script: str) -> Running:
        """Start run for one sub-stage."""
        path = Path(tempfile.mkdtemp(prefix="script", dir=self.temp)) / "script"
        path.touch(mode=0o700)
        path.write_text(script, encoding="utf-8")
        return self.start("run", str(path), sub_stage)

    def call(self, stage: str, *args: str) -> Call:
        """Call a stage."""
        return self.start(stage, *args).finish()

    def start(self, stage: str, *args: str, program: Sequence[str] = ()) -> Running:
        """Start a stage; `program` stands in for its hook."""
        note = planning.TURN.next() if stage == "prepare" and not program else None
        recorder = recording.recorder()
        if note:
            program = recording.program(note)
        elif recorder and stage == "prepare":
            program = recording.recorded(program, recording.notes_of(recorder))
        process = subprocess.Popen(
            [
                *(program or (*self.under, str(HOOKS / stage))),
                *("--settings", str(self.settings)),
                *args,
            ],
            env=self.environment(),
            cwd=self.temp,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        running = Running(" ".join((stage, *args[1:])), process, self.calls)
        running.note = note
        return running

    def environment(self) -> dict[str, str]:
        """Return the environment of the next call: later entries win, as for gitlab-runner."""
        own = {key: each for key, each in os.environ.items() if not key.startswith(_OWN)}
        return {
            **own,
            "HOME": str(self.home),
            "PATH": self.path,
            "TMPDIR": str(self.temp),
            "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE),
            "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE),
            "BUILD_EXIT_CODE_FILE": str(self.exit_code_file),
            "JOB_RESPONSE_FILE": str(self.response_file),
            **self._job_env,
            **{f"CUSTOM_ENV_{key}": value for key, value in self.values.items()},
        }

    @property
    def values(self) -> Mapping[str, str]:
        """Return the job's variables as they are known now."""
        return self.request.values(self._builds_dir)

    @property
    def exit_code(self) -> str | None:
        """Return the first line of BUILD_EXIT_CODE_FILE, or None where there is no such file."""
        if not self.exit_code_file.exists():
            return None
        return self.exit_code_file.read_text(encoding="utf-8").splitlines()[0]

    @property
    def _files(self) -> frozenset[str]:
        return self.request.file_variables()


@contextmanager
def as_gitlab_runner() -> Iterator[None]:
    """Be called gitlab-runner by the kernel: hooks have process groups of their own already.

    What an owner that is gone has left would be swept by any other job on the rig.
    """
    name, memory = Path("/proc/self/comm"), Path("/proc/self/mem")
    after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    arguments = int(after_name[_ARG_START])
    program = b"gitlab-runner\0"
    with memory.open("r+b", buffering=0) as own:
        own.seek(arguments)
        before = name.read_text(encoding="utf-8"), own.read(len(program))
        name.write_text("gitlab-runner", encoding="utf-8")
        os.pwrite(own.fileno(), program, arguments)
        try:
            yield
        finally:
            name.write_text(before[0], encoding="utf-8")
            os.pwrite(own.fileno(), before[1], arguments)

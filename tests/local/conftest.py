"""A project, a registration of the fake hooks, and a way to run `dind-executor local` on them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import git
from tests.local import fake_hooks
from tests.patience import LONGEST_SECONDS

HERE = Path(__file__).parent
PROGRAM = "import sys; from executor.local.command import main; sys.exit(main(sys.argv[1:]))"
LATE_CLOCK = """\
import pathlib, threading
class Late(threading.Timer):
    def run(self):
        while not pathlib.Path({!r}).exists() and not self.finished.wait(0.01):
            pass
        super().run()
threading.Timer = Late
"""
WAITS_LITTLE = """\
from executor.local.runner import job
job._PREPARE_WAIT_SECONDS = 0
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}


@dataclass
class Finished:
    """What a run left: its exit code, its output, and the calls that the hooks got."""

    exit_code: int
    stdout: str
    stderr: str
    calls: list[dict[str, object]]

    @property
    def names(self) -> list[str]:
        return [str(call["name"]) for call in self.calls]

    def call(self, name: str) -> dict[str, object]:
        return next(call for call in self.calls if call["name"] == name)

    def environment(self, name: str) -> dict[str, str]:
        environment = self.call(name)["environment"]
        assert isinstance(environment, dict)
        return environment


class Workbench:
    """A directory with a project under git and the fake hooks beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.project = directory / "project"
        self.control = directory / "control"
        self.builds = directory / "builds"
        self.started: list[subprocess.Popen[str]] = []
        self._before = ""
        self.project.mkdir()
        (self.control / "bin").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("README.md", "A project.\n")
        self.commit("Start")
        if shutil.which("gitlab-runner") is None:
            client = self.control / "bin" / "gitlab-runner"
            client.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE}/artifact_client.py "$@"\n')
            client.chmod(0o755)
        self.configure()

    def git(self, *arguments: str) -> str:
        return git.git(self.project, *arguments)

    def write(self, name: str, content: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def commit(self, message: str) -> str:
        return git.commit(self.project, message)

    def configure(self, *, runner: str = "", custom: str = "") -> None:
        """Write the registration, with more lines in its two tables if given."""

        def hook(stage: str) -> str:
            arguments = json.dumps([str(HERE / "fake_hooks.py"), str(self.control), stage])
            return f"{stage}_exec = {json.dumps(sys.executable)}\n{stage}_args = {arguments}\n"

        hooks = "".join(map(hook, ("config", "prepare", "run", "cleanup")))
        (self.directory / "config.toml").write_text(
            f"""
[[runners]]
name = "shell"
executor = "shell"

[[runners]]
name = "fake"
executor = "custom"
builds_dir = {json.dumps(str(self.builds))}
cache_dir = {json.dumps(str(self.directory / "cache"))}
safe_directory_checkout = true
{runner}
[runners.custom]
{hooks}
{custom}
"""
        )

    def behave(self, **behaviours: Sequence[Mapping[str, object]]) -> None:
        (self.control / "behaviour.json").write_text(json.dumps(behaviours))

    def pipeline(self, text: str) -> None:
        self.write(".gitlab-ci.yml", text)

    def count_from(self, marker: Path) -> None:
        """Have time limits begin when a job has made a file, however long it takes to come to that."""
        self._before += LATE_CLOCK.format(str(marker))

    def wait_little(self) -> None:
        """Have no time pass before prepare is tried again."""
        self._before += WAITS_LITTLE

    @property
    def _command(self) -> list[str]:
        program = [sys.executable, "-c", f"{self._before}{PROGRAM}", "--listen=127.0.0.1"]
        return [*program, f"--config={self.directory}/config.toml"]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command with its output on pipes."""
        return self._start(
            subprocess.Popen(
                [*self._command, *arguments],
                cwd=self.project,
                env={**ENVIRONMENT, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def start_on(self, terminal: int) -> subprocess.Popen[str]:
        """Start the command on a terminal that is its own."""
        return self._start(
            subprocess.Popen(
                ["setsid", "--ctty", *self._command],
                cwd=self.project,
                env=ENVIRONMENT,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                text=True,
            )
        )

    def _start(self, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        self.started.append(process)
        return process

    def clear(self) -> None:
        """Leave no process behind, whatever a test found out."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
                for call in self.calls():
                    self._kill(int(str(call["group"])))

    def _kill(self, group: int) -> None:
        # The number may have gone to another process since.
        command = Path(f"/proc/{group}/cmdline")
        with contextlib.suppress(OSError):
            if str(self.control) in command.read_text():
                os.killpg(group, signal.SIGKILL)

    def finish(self, process: subprocess.Popen[str]) -> Finished:
        stdout, stderr = process.communicate(timeout=LONGEST_SECONDS)
        return Finished(process.returncode, stdout, stderr, self.calls())

    def run(self, *arguments: str, **environment: str) -> Finished:
        return self.finish(self.start(*arguments, **environment))

    def calls(self) -> list[dict[str, object]]:
        return fake_hooks.calls(self.control)

    def wait_for_call(self, name: str) -> None:
        """Return when a hook or a sub-stage has been called."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while name not in [call["name"] for call in self.calls()]:
            assert time.monotonic() < deadline, f"{name} was never called"
            time.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(tmp_path)
    yield workbench
    workbench.clear()

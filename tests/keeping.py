"""Runs a keeper as a container would: as the first process of a PID namespace, on two pipes.

The keeper kills what it did not start, so it never runs outside of a namespace of its own.
"""

import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from executor.scripts.output import Output
from executor.shell import DIRECTORY
from executor.shell.client import Client
from executor.shell.greetings import challenge, is_ours
from executor.shell.keeper import keeper
from executor.shell.processes import signaller
from executor.shell.receiver import sent_files
from executor.shell.serving import READY, sent_script
from tests.patience import LONGEST_SECONDS

_UNSHARE = [shutil.which("unshare") or "unshare", "--pid", "--mount-proc", "--fork", "--kill-child"]
_AS_USER = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
_SETSID = shutil.which("setsid") or "setsid"
_LOOKED_FOR = r"/usr/local/bin/bash .*/busybox/sh"
"""The shells that the keeper looks for."""

_APPLETS = "cat chmod cp dd du head id ln ls mkdir readlink rm rmdir sleep tail touch tr wc"


def namespaces_work() -> bool:
    """Tell whether this user may make a PID namespace."""
    tried = subprocess.run(
        [*_UNSHARE, *_AS_USER, "true"], capture_output=True, check=False, timeout=30
    )
    return tried.returncode == 0


def mount_of(directory: Path) -> str:
    """Return where the file system of a directory is mounted."""
    return str(next(each for each in (directory, *directory.parents) if os.path.ismount(each)))


def shell_directory(directory: Path, shell: str) -> Path:
    """Return a directory for a PATH on which `sh` is a shell; busybox brings its own programs."""
    found = shutil.which(shell)
    assert found, f"{shell} is not installed: apt-get install {shell}"
    programs = directory / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to(found)
    for applet in _APPLETS.split():
        target = found if shell == "busybox" else shutil.which(applet)
        assert target
        (programs / applet).symlink_to(target)
    return programs


@dataclass(frozen=True, slots=True)
class Ended:
    """What a script left behind."""

    code: int | None
    stdout: bytes
    stderr: bytes
    left: bool = False
    untaken: bool = False


class Kept:
    """A keeper that goes on, and its two streams."""

    def __init__(
        self,
        directory: Path,
        programs: Path,
        *,
        entrypoint: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
        umask: str = "",
        forgotten: str = "",
        opened: Sequence[str] = (),
        shells: str = "",
        workdir: str = "",
        client: Client | None = None,
    ) -> None:
        """Start a keeper behind an entrypoint; `entrypoint` may use the programs of the PATH.

        The file system that it lies on counts as the container's own.
        """
        self.directory = directory / "run"
        self.directory.mkdir()
        self.directory.chmod(0o1777)
        self.link = directory / "var/run/docker.sock"
        self.home = directory / "home"
        self.home.mkdir(exist_ok=True)
        (directory / workdir).mkdir(exist_ok=True)
        self._programs = programs
        client = client or Client(own=(mount_of(directory),))
        command = keeper(
            "job-build", umask=umask, forgotten=forgotten, opened=opened, client=client
        )
        # The shell under test also runs the scripts, whatever else this machine has.
        shells = shells or str(programs / "sh")
        command = tuple(re.sub(_LOOKED_FOR, shells, self._here(each)) for each in command)
        self._process = subprocess.Popen(
            # In a session of its own, as in a container: a script may signal its process group.
            [*_UNSHARE, *_AS_USER, _SETSID, *entrypoint, str(programs / "sh"), *command[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": str(programs), "HOME": str(self.home), **(environment or {})},
            cwd=directory / workdir,
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._stdin = self._process.stdin
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ, 1)
        self._selector.register(self._process.stderr, selectors.EVENT_READ, 2)
        there = {
            path.replace(DIRECTORY, str(self.directory)): c for path, c in (files or {}).items()
        }
        try:
            first = challenge()
            self.send(first + sent_files(there.items(), first))
            self.before_ready = self._until_ready()
        except BaseException:
            self._process.kill()
            self.close()
            raise

    def send(self, data: bytes) -> None:
        """Write to the keeper's stdin."""
        self._stdin.write(data)
        self._stdin.flush()

    def start(self, script: str, nonce: str = "nonce-of-this-script") -> "Going":
        """Send a script."""
        self.send(sent_script(script.encode(), nonce))
        return Going(self, nonce)

    def run(self, script: str, nonce: str = "nonce-of-this-script") -> Ended:
        """Run a script to its end."""
        return self.start(script, nonce).finish()

    def signal(self, number: str) -> None:
        """Signal the script, by the program that an exec runs in the container."""
        self._inside([self._here(each) for each in signaller(number)])

    def terminate(self) -> int:
        """Send SIGTERM to the first process of the namespace; return its exit code."""
        os.kill(self._first(), signal.SIGTERM)
        return self._process.wait(LONGEST_SECONDS)

    def signal_first(self, name: str) -> None:
        """Send a signal to the first process of the namespace."""
        os.kill(self._first(), getattr(signal, f"SIG{name}"))

    def arguments(self) -> set[str]:
        """Return the arguments of all processes of the namespace."""
        return set(self._inside(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).split("\0"))

    def wait_until_gone(self, *arguments: str) -> None:
        """Return once no process has one of these arguments: one that was killed dies by and by."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while there := self.arguments() & set(arguments):
            assert time.monotonic() < deadline, f"still there: {there}"
            time.sleep(0.01)

    def wait_until_there(self, *arguments: str) -> None:
        """Return once a process has one of these arguments."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while not self.arguments() & set(arguments):
            assert time.monotonic() < deadline, f"none of {arguments} is there"
            time.sleep(0.01)

    def read(self) -> list[tuple[int, bytes]]:
        """Return what came on which stream; empty bytes say that a stream is at its end."""
        return [
            (key.data, os.read(key.fd, 65536)) for key, _ in self._selector.select(LONGEST_SECONDS)
        ]

    def close(self) -> int:
        """End the keeper's stdin, and with it the keeper; return its exit code."""
        try:
            self._stdin.close()
            return self._process.wait(LONGEST_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._selector.close()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe:
                    pipe.close()

    def _first(self) -> int:
        """Return the first process of the namespace: unshare's only child."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    def _here(self, text: str) -> str:
        text = text.replace("/var/run/docker.sock", str(self.link))
        return text.replace(DIRECTORY, str(self.directory))

    def _inside(self, command: Sequence[str]) -> str:
        user = ["--user", "--preserve-credentials"] if _AS_USER else []
        done = subprocess.run(
            [
                shutil.which("nsenter") or "nsenter",
                "--target",
                str(self._first()),
                "--pid",
                "--mount",
                *user,
                *command,
            ],
            env={"PATH": f"{self._programs}:{os.environ['PATH']}"},
            capture_output=True,
            check=False,
            text=True,
            timeout=LONGEST_SECONDS,
        )
        return done.stdout

    def _until_ready(self) -> dict[int, bytes]:
        """Return what was printed on each stream before the keeper said that it is ready."""
        read = {1: b"", 2: b""}
        deadline = time.monotonic() + LONGEST_SECONDS
        line = f"{READY}\n".encode()
        while line not in read[1] and line not in read[2]:
            for number, data in self.read():
                read[number] += data
                if not data:
                    raise AssertionError(f"the keeper ended before it was ready: {read}")
            assert time.monotonic() < deadline, f"the keeper is not ready: {read}"
        return {
            number: b"".join(
                each
                for each in data.replace(line, b"").splitlines(keepends=True)
                if not is_ours("job-build", each)
            )
            for number, data in read.items()
        }


class Start(Protocol):
    """Starts a keeper that ends with the test."""

    def __call__(self, **given: object) -> Kept: ...


class Going:
    """A script that was sent, as `run` sees it."""

    def __init__(self, kept: Kept, nonce: str) -> None:
        """Read from `kept` by the rules of the product."""
        self._kept = kept
        self._read = {1: b"", 2: b""}
        self._output = Output(nonce, self._take)

    def wait_for(self, text: str) -> None:
        """Return once the script printed `text` to stdout."""
        while text.encode() not in self._read[1]:
            assert not self._some(), f"the script ended first: {self._read}"

    def finish(self) -> Ended:
        """Wait for the end."""
        while not self._some():
            pass
        output = self._output
        return Ended(output.exit_code, self._read[1], self._read[2], output.left, output.untaken)

    def _take(self, descriptor: int, data: bytes) -> None:
        self._read[descriptor] += data

    def _some(self) -> bool:
        pieces = self._kept.read()
        assert pieces, f"nothing came for {LONGEST_SECONDS:.0f} seconds: {self._read}"
        assert all(data for _, data in pieces), f"the keeper ended: {self._read}"
        ended = False
        for number, data in pieces:
            ended = self._output(number, data) or ended
        return ended

"""Background processes of the rig: started once, found again by pid file, stopped by id."""

import json
import os
import signal
import subprocess
import time
import urllib.error
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from tests.rig.paths import LOGS, RUN
from tests.rig.say import RigError
from tests.web import direct


def start(name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Ensure that the process of this name runs; a running one is left as it is."""
    if running(name) is not None:
        return
    LOGS.mkdir(parents=True, exist_ok=True)
    log = log_of(name)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            cwd="/",
        )
    record = {"pid": process.pid, "born": _born(process.pid)}
    _pid_file(name).write_text(json.dumps(record), encoding="utf-8")


def running(name: str) -> int | None:
    """Return the process id, or None if the process that was started is gone."""
    try:
        record = json.loads(_pid_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    pid = int(record["pid"])
    # A reused process id belongs to somebody else: its start time differs.
    return pid if record["born"] is not None and _born(pid) == record["born"] else None


def stop(name: str, timeout_seconds: float = 30) -> bool:
    """End the process and return whether there was one."""
    pid = running(name)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout_seconds
        while running(name) is not None:
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
                deadline += timeout_seconds
            time.sleep(0.05)
    _pid_file(name).unlink(missing_ok=True)
    return pid is not None


def fail(name: str, sentence: str) -> RigError:
    """Return the error for a process that does not do its work, with its last words."""
    try:
        lines = log_of(name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    # What a process panics about stands above the places that it was in.
    panics = [number for number, line in enumerate(lines) if line.startswith("panic:")]
    words = lines[panics[-1] :][:3] if panics else lines[-8:]
    return RigError("\n".join([f"{sentence} The end of {log_of(name)}:", *words]))


def await_answer(
    name: str, url: str, ca: Path | None = None, *, asks_login: bool, timeout_seconds: float = 20
) -> None:
    """Return when the process answers at an address, where it asks for a login or does not."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline and running(name) is not None:
        try:
            direct(ca).open(url, timeout=5).close()
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED and asks_login:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.05)
    raise fail(name, f"{name} does not answer at {url}.")


def mentioning(text: str) -> list[int]:
    """Return the ids of all processes with this text in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def log_of(name: str) -> Path:
    """Return the file that holds what the process prints."""
    return LOGS / f"{name}.log"


def _pid_file(name: str) -> Path:
    return RUN / f"{name}.pid.json"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _born(pid: int) -> str | None:
    """Return the start time of a live process in the kernel's own clock ticks."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]

"""Owners, labels and views for the tests beside this: real processes, and engines that say anything."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from executor.host.owner import read_process, this_host
from executor.log import AdministratorLog
from executor.names import TEMP_DIR_LABEL, JobNames
from executor.notation.owner import Belonging, Owner
from executor.sweep.evidence import View
from executor.sweep.options import Options

KEY, OTHER = "17-0123456789", "18-9876543210"
ADDRESS = "unix:///run/engine.sock"
SLEEPER = "import signal, sys; print(flush=True); signal.pause()"


def owner_of(pid: int, **changes: Any) -> Owner:
    """Return the owner that a process on this machine is."""
    here, process = this_host(), read_process(pid)
    assert process
    owner = Owner(here.machine, here.boot, here.namespace, pid, process.started, local=True)
    return owner._replace(**changes)


@contextmanager
def living(
    program: str = SLEEPER,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    *,
    python: Sequence[str] = (sys.executable,),
    arguments: Sequence[str] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that has begun, until the end of the block."""
    process = subprocess.Popen(
        [*python, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        env=None if env is None else {**os.environ, **env},
        cwd=cwd,
        process_group=0,
    )
    assert process.stdout
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def dead_owner() -> Owner:
    """Return an owner whose process is gone."""
    with living() as process:
        return owner_of(process.pid)


def belonging(owner: Owner | None, key: str = KEY, **changes: Any) -> Belonging:
    """Return what the objects of a job say."""
    job_id = key.partition("-")[0]
    said = Belonging(
        key, job_id, "3", owner, temp_dir="/tmp/custom-executor1", deadline=4_000_000_000
    )
    return said._replace(**changes)


def listed(kind: str, name: str, said: Belonging | None, **more: Any) -> dict[str, object]:
    """Return an object as the engine lists it."""
    names = {"Names": [f"/{name}"]} if kind == "container" else {"Name": name}
    labels = {} if said is None else said.labels()
    identity = {} if kind == "volume" else {"Id": f"id-of-{name}"}
    return {**identity, **names, "Labels": labels, **more}


def objects_of(said: Belonging) -> list[tuple[str, dict[str, object]]]:
    """Return a container, the network and a volume of a job."""
    names = JobNames(said.key)
    return [
        ("container", listed("container", names.build, said)),
        ("network", listed("network", names.network, said)),
        ("volume", listed("volume", names.builds_volume, said)),
    ]


def view(
    *,
    local: bool = True,
    host: tuple[str, str] | None = None,
    container: Mapping[str, object] | None = None,
) -> View:
    """Return where this process stands, with what the engine says when it is asked."""
    here = os.uname()
    told = host or (here.nodename, here.release)
    return View(
        local=local,
        engine_host=lambda: told,
        container=lambda _name: None if container is None else dict(container),
    )


def options(
    log: AdministratorLog | None = None, state_dir: Path | None = None, **more: Any
) -> Options:
    """Return how prepare sweeps."""
    made = Options(log or AdministratorLog("prepare"), ADDRESS, "prepare")
    return made._replace(state_dir=str(state_dir or ""), **more)


def events(log: AdministratorLog) -> list[dict[str, object]]:
    """Return what a log has collected."""
    return [event for _, event in log.noted]


def attempt(directory: Path, number: int, labels: dict[str, str]) -> Path:
    """Make a temporary directory as an attempt of prepare has it."""
    place = directory / f"custom-executor{number}"
    place.mkdir(mode=0o700)
    note = place / "dind-executor-owner"
    note.touch(mode=0o600)
    note.write_text(json.dumps({**labels, TEMP_DIR_LABEL: str(place)}))
    return place

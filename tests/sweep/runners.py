"""Processes that look as gitlab-runner does to the kernel: their name, their logs, and their stages."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from executor.names import TEMP_DIR_LABEL
from executor.runner import notes
from tests.sweep.left import KEY, belonging, living, owner_of

_PROGRAM = """
import os, signal, subprocess, sys, time
logs = [open(each, "a", opener=lambda path, how: os.open(path, how, 0o600))
        for each in sys.argv[1].split(",") if each]
# Their stdin ends with this process.
stages = [subprocess.Popen(["sh", "-c", "read _; :"], stdin=subprocess.PIPE, process_group=0,
                           env={**os.environ, "TMPDIR": each})
          for each in sys.argv[2].split(",") if each]
for each in stages:
    # The kernel shows it a moment after the new program has begun.
    while not open(f"/proc/{each.pid}/environ", "rb").read():
        time.sleep(0.001)
print(flush=True)
signal.pause()
"""


@contextmanager
def gitlab_runner(
    parent: Path,
    *,
    logs: Sequence[str] = (),
    stages: Sequence[Path] = (),
    name: str = "gitlab-runner",
    before: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one with logs open and with stages of directories, until the end of the block.

    `before` is what it is started through.
    """
    program = parent.parent / "bin" / name
    program.parent.mkdir(exist_ok=True)
    if not program.exists():
        program.symlink_to(Path(sys.executable).resolve())
    paths = ",".join(str(parent / each) for each in logs)
    with living(
        _PROGRAM,
        {"TMPDIR": str(parent), **(environment or {})},
        python=(*before, str(program)),
        arguments=(paths, ",".join(map(str, stages))),
    ) as process:
        yield process


def sign(directory: Path, pid: int, key: str = KEY) -> None:
    """Note in a job's directory that it is a process's."""
    said = belonging(owner_of(pid), key, temp_dir=str(directory))
    assert said.labels()[TEMP_DIR_LABEL] == str(directory)
    notes.leave(str(directory), notes.OWNER, said.note())

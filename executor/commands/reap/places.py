"""The directories in which gitlab-runners of this host make their jobs' temporary directories.

A gitlab-runner with `PrivateTmp` has a /tmp of its own.  Root sees it through the process, as
`/proc/PID/root`.  Every user may have a process of that name, and so may a job in its container, with
notes and payloads there that lie: neither counts.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from executor.host.owner import is_numbered_once

_USUAL = "/tmp"  # noqa: S108 (where gitlab-runner makes them)
_RUNNER = "gitlab-runner"
_PRIVATE = "systemd-private-*-*/tmp"
_MOST_BYTES = 1 << 20


def parents(uids: Collection[int], root: Path = Path("/")) -> tuple[str, ...]:
    """Return the directories of some users' gitlab-runners, each once however many ways lead to it."""
    found: dict[tuple[int, int], str] = {}
    for path in _candidates(uids, root):
        with suppress(OSError):
            seen = os.stat(path)  # noqa: PTH116 (through a link of /proc)
            found.setdefault((seen.st_dev, seen.st_ino), path)
    return tuple(found.values())


def users(state_dir: str) -> frozenset[int]:
    """Return whose directories there may be jobs': this process's user, and gitlab-runner's.

    `install` gives the memory of sweeps to gitlab-runner's user, for its jobs' prepare sweeps too.
    """
    found = {os.geteuid()}
    with suppress(OSError):
        found.add(os.stat(state_dir).st_uid)  # noqa: PTH116 (it may be no path at all)
    return frozenset(found)


def _runners(uids: Collection[int], root: Path) -> Iterator[Path]:
    """Yield the directory of /proc of each gitlab-runner of some users that lives in no container."""
    for proc in sorted((root / "proc").glob("[0-9]*")):
        with suppress(OSError):
            is_runner = (proc / "comm").read_text(errors="replace").startswith(_RUNNER)
            is_ours = is_runner and proc.stat().st_uid in uids
            if is_ours and is_numbered_once(proc.name, str(root / "proc")):
                yield proc


def _candidates(uids: Collection[int], root: Path) -> Iterator[str]:
    own = root / _USUAL.lstrip("/")
    yield str(own)
    for proc in _runners(uids, root):
        with suppress(OSError):
            yield f"{proc}/root{_temporary(proc)}"
    # Of a gitlab-runner that is dead, what systemd has not yet removed.
    yield from map(str, sorted(own.glob(_PRIVATE)))


def _temporary(proc: Path) -> str:
    """Return a process's TMPDIR as it sees it."""
    with (proc / "environ").open("rb") as file:
        pairs = file.read(_MOST_BYTES).split(b"\0")
    value = next((each[7:] for each in pairs if each.startswith(b"TMPDIR=/")), b"")
    return os.fsdecode(value) or _USUAL

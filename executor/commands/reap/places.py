"""The directories in which gitlab-runners of this host make their jobs' temporary directories.

A gitlab-runner with `PrivateTmp`, or in a container, has a /tmp of its own.  Root sees it through the
process, as `/proc/PID/root`.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_USUAL = "/tmp"  # noqa: S108 (where gitlab-runner makes them)
_RUNNER = "gitlab-runner"
_PRIVATE = "systemd-private-*-*/tmp"
_MOST_BYTES = 1 << 20


def parents(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the directories, each once however many ways lead to it."""
    found: dict[tuple[int, int], str] = {}
    for path in _candidates(root):
        with suppress(OSError):
            seen = os.stat(path)  # noqa: PTH116 (through a link of /proc)
            found.setdefault((seen.st_dev, seen.st_ino), path)
    return tuple(found.values())


def users(state_dir: str, root: Path = Path("/")) -> frozenset[int]:
    """Return whose directories there may be jobs': those of gitlab-runners, and of this process.

    Whoever may write to the memory of sweeps sweeps beside prepare, and so runs gitlab-runner.
    """
    found = {os.geteuid()}
    with suppress(OSError):
        found.add(os.stat(state_dir).st_uid)  # noqa: PTH116 (it may be no path at all)
    for proc in _runners(root):
        with suppress(OSError):
            found.add(proc.stat().st_uid)
    return frozenset(found)


def _runners(root: Path) -> Iterator[Path]:
    """Yield the directory of /proc of each gitlab-runner that lives."""
    for proc in sorted((root / "proc").glob("[0-9]*")):
        with suppress(OSError):
            if (proc / "comm").read_text(errors="replace").startswith(_RUNNER):
                yield proc


def _candidates(root: Path) -> Iterator[str]:
    own = root / _USUAL.lstrip("/")
    yield str(own)
    for proc in _runners(root):
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

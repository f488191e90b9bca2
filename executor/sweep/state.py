"""What one sweep leaves for the next, and for whoever asks how the last one went.

One small file for each engine, written as a whole or not at all.  Sweeps may race: the lock saves
work and is not needed for safety, and the slower writer's file stays.  The times in `Memory` are
those of the clock that runs since the boot and knows no steps; after another boot they mean nothing.
"""

import os
import time
import zlib
from contextlib import AbstractContextManager
from typing import NamedTuple

from executor.host.owner import boot_id
from executor.host.state_files import locked, opened, read, write
from executor.quick_json import dumps
from executor.sweep.options import Options

_VERSION = 1
_MOST_KEYS = 1000
_PREFIX, _SUFFIX = "sweep-", ".json"


class Memory(NamedTuple):
    """What earlier looks at an engine saw, by the keys of jobs; times are in seconds since the boot."""

    now: float
    gone: dict[str, float]
    """Since when the directories of a job are seen gone while its gitlab-runner lives."""
    over: dict[str, float]
    """Since when GitLab says that a job is over."""
    ended: dict[str, float]
    """When the stages of a job that outlived their gitlab-runner were told to end."""
    stuck: dict[str, float]
    """When something of a job was last tried to be removed."""
    tries: dict[str, float]
    """How often in a row that was tried, without anything gone meanwhile."""
    had: dict[str, float]
    """How many objects the job had then."""
    idle: dict[str, float]
    """Since when no gitlab-runner is seen that a job without a note could be of."""

    def seconds_over(self, key: str) -> float:
        """Note that GitLab says that a job is over; return for how long it has said so."""
        return self.now - self.over.setdefault(key, self.now)

    def seconds_idle(self, key: str) -> float:
        """Note that no gitlab-runner is seen that a job could be of; return for how long."""
        return self.now - self.idle.setdefault(key, self.now)

    def seconds_gone(self, key: str) -> float:
        """Note that a job's directories are gone; return for how long they have been seen so."""
        return self.now - self.gone.setdefault(key, self.now)


def held(options: Options, seconds: float = 0.0) -> AbstractContextManager[bool]:
    """Hold the engine's lock; False where another sweep has it: see `state_files.locked`."""
    return locked(options.state_dir, f"{_name(options)}.lock", seconds)


def recall(options: Options) -> Memory:
    """Return what earlier looks at the engine saw; nothing after another boot, or without a file."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    with opened(options.state_dir) as directory:
        left = read(directory, f"{_name(options)}{_SUFFIX}")
    of_boot = left.get("memory")
    known = of_boot if isinstance(of_boot, dict) and left.get("boot") == boot_id() else {}
    return Memory(now, *(_times(known.get(each), now) for each in Memory._fields[1:]))


def remember(options: Options, memory: Memory, result: dict[str, object] | None = None) -> str:
    """Leave the memory, and how the sweep went; without a result the last one's stays.

    Returns why that cannot be done, "" where it is.
    """
    if not options.state_dir:
        return ""
    name = f"{_name(options)}{_SUFFIX}"
    with opened(options.state_dir) as directory:
        if directory < 0:
            return f"{options.state_dir} is no directory that can be used"
        left = read(directory, name) if result is None else {**result, "at": round(time.time(), 3)}
        left |= {
            "version": _VERSION,
            "engine": options.address,
            "boot": boot_id(),
            "memory": {each: getattr(memory, each) for each in Memory._fields[1:]},
        }
        try:
            write(directory, name, dumps(left).encode())
        except OSError as error:
            return f"{options.state_dir}/{name} cannot be written: {error.strerror}"
    return ""


def states(state_dir: str) -> list[dict[str, object]]:
    """Return how the last sweep of each engine went; see docs/operating.md for the keys."""
    with opened(state_dir) as directory:
        if directory < 0:
            return []
        names = [each for each in os.listdir(directory) if each.startswith(_PREFIX)]  # noqa: PTH208
        found = [read(directory, each) for each in sorted(names) if each.endswith(_SUFFIX)]
    return [each for each in found if each.get("version") == _VERSION]


def _name(options: Options) -> str:
    return f"{_PREFIX}{zlib.crc32(options.address.encode()):08x}"


def _times(found: object, now: float) -> dict[str, float]:
    """Return numbers by keys, without times that lie ahead."""
    if not isinstance(found, dict):
        return {}
    kept = list(found.items())[-_MOST_KEYS:]
    return {
        str(key): float(value)
        for key, value in kept
        if isinstance(value, int | float) and 0 <= value <= now
    }

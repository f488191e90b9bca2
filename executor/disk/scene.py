"""In which directories of the engine's host a job writes, by what the engine says of its containers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from executor.disk.growth import Tree
from executor.engine.docker import Engine
from executor.engine.wire import as_table
from executor.files import read_regular
from executor.names import JobNames

_WITHOUT_NAME = re.compile("[0-9a-f]{64}")
_UPPER = re.compile(r"[ ,]upperdir=([^,\s]+)")
_MOST_SERVICES = 100
_MOST_BYTES = 1024 * 1024


class Scene(NamedTuple):
    """Where a job writes."""

    trees: tuple[Tree, ...]
    pids: Mapping[str, int]
    """The first process of each of its containers by their ids, as this process knows it."""


def scene(
    engine: Engine, names: JobNames, root: str, kept: Iterable[str], paths: Iterable[str]
) -> Scene:
    """Return the directories, as seen through `root`: where the engine's root directory is seen.

    `kept` are volumes that last beyond the job and that it may fill, `paths` are directories of the
    host like them.  What the administrator mounts is no job's.  Raises EngineUnavailable.
    """
    lasting = frozenset(kept)
    found = [Tree(f"{root}{each}", each) for each in paths]
    pids: dict[str, int] = {}
    for container in containers(engine, names):
        found += _of_container(container, names, root, lasting)
        pid = as_table(container.get("State")).get("Pid")
        # An engine that is in a container numbers its processes otherwise.
        if not root and isinstance(pid, int) and pid > 0 and container.get("Id"):
            pids[str(container["Id"])] = pid
    return Scene(tuple(dict.fromkeys(found)), pids)


def containers(engine: Engine, names: JobNames) -> Iterator[dict[str, object]]:
    """Yield what the engine says of each of the job's containers; raises EngineUnavailable."""
    for name in (names.dind, names.build, names.helper):
        if told := engine.inspect(name):
            yield told
    for number in range(_MOST_SERVICES):
        told = engine.inspect(names.service(number))
        if not told:
            return
        yield told


def _of_container(
    told: dict[str, object], names: JobNames, root: str, kept: frozenset[str]
) -> Iterator[Tree]:
    mounts = told.get("Mounts")
    for mount in map(as_table, mounts if isinstance(mounts, list) else []):
        name, source = str(mount.get("Name") or ""), str(mount.get("Source") or "")
        if mount.get("Type") != "volume" or not source.startswith("/"):
            continue
        if name in kept:
            yield Tree(f"{root}{source}", name)
        elif name.startswith(f"{names.network}-") or _WITHOUT_NAME.fullmatch(name):
            yield Tree(f"{root}{source}")
    log = str(told.get("LogPath") or "").rpartition("/")[0]
    if log:
        yield Tree(f"{root}{log}")
    upper = str(as_table(as_table(told.get("GraphDriver")).get("Data")).get("UpperDir") or "")
    upper = upper or _mounted(as_table(told.get("State")).get("Pid"), root)
    if upper:
        yield Tree(f"{root}{upper}")


def _mounted(pid: object, root: str) -> str:
    """Return the directory that a container's own files lie in, by its mounts; "" if not seen.

    With images in containerd the engine does not tell it.
    """
    try:
        mounts = read_regular(f"{root}/proc/{pid}/mountinfo", _MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[4] == "/" and (upper := _UPPER.search(line)):  # noqa: PLR2004
            return upper[1]
    return ""

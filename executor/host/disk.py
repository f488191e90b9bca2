"""The file systems that the Docker Engine fills, as far as this process sees them.

A directory of the engine's name may be another one here: gitlab-runner may be in a container, the
engine too, or its socket may lead to another machine.  So the process that listens on the socket is
asked for its own view, and where it may not be asked, the engine must at least name this host.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

TYPE_CHECKING = False  # the name counts for checkers: rooms of one floor do not load each other
if TYPE_CHECKING:
    from executor.engine.stores import Stores

_CONTAINERD = "/var/lib/containerd"
_CONTAINERD_CONFIG = "/etc/containerd/config.toml"
VOLUMES, IMAGES = "volumes", "images"
"""What is kept on an engine's disks."""

_BELOW = ("volumes", "containers")
"""Directories of the data root that administrators put on disks of their own."""
_OWN_CONTAINERD = "containerd/daemon"
"""Where images lie in the data root, if a containerd has them that dockerd has started.

That one is not known by its address alone: the administrator may choose where its socket lies.
"""
_ENGINE = "dockerd"
_INIT = 1


class Place(NamedTuple):
    """A directory of the engine's on a file system that no other place is on."""

    name: str
    """As the engine calls it."""
    path: str
    """As this process sees it."""
    device: int
    keeps: tuple[str, ...] = ()
    """What is kept there: `VOLUMES`, `IMAGES`."""


class Free(NamedTuple):
    """What is free on a file system."""

    bytes: int
    inodes: int | None
    """None where the file system makes as many as are wanted."""
    size: int = 0
    """How many bytes there are in all, also those in use; 0 where nobody knows."""


def places(stores: "Stores", proc: str = "/proc") -> tuple[Place, ...]:
    """Return one directory of each file system that the engine fills; none where they are not seen."""
    root = _engines_root(stores, proc)
    if root is None:
        return ()
    data = stores.data_root
    is_own = _device(f"{root}{data}/{_OWN_CONTAINERD}") is not None
    images = [_containerd_root(root)] if stores.in_containerd and not is_own else []
    images += [f"{data}/{each}" for each in (stores.driver, _OWN_CONTAINERD) if each]
    devices: dict[str, int] = {}
    for name in (data, *(f"{data}/{each}" for each in _BELOW), *images):
        device = _device(f"{root}{name}")
        if device is not None:
            devices.setdefault(name, device)
    kept = {
        VOLUMES: devices.get(f"{data}/volumes", devices[data]),
        IMAGES: next((devices[each] for each in images if each in devices), devices[data]),
    }
    found: dict[int, Place] = {}
    for name, device in devices.items():
        keeps = tuple(what for what, its in kept.items() if its == device)
        found.setdefault(device, Place(name, f"{root}{name}", device, keeps))
    return tuple(found.values())


def free(place: Place) -> Free | None:
    """Return what is free at a place; None where it is gone, or another file system by now."""
    try:
        if os.stat(place.path).st_dev != place.device:  # noqa: PTH116 (pathlib costs 9 ms)
            return None
        told = os.statvfs(place.path)
    except OSError:
        return None
    inodes = told.f_favail if told.f_files else None
    size = told.f_blocks - told.f_bfree + told.f_bavail  # without what is reserved for root
    return Free(told.f_bavail * told.f_frsize, inodes, size * told.f_frsize)


def all_free(found: Iterable[Place]) -> list[tuple[Place, Free]]:
    """Return what is free at each place that is still there."""
    return [(each, seen) for each in found if (seen := free(each))]


def _engines_root(stores: "Stores", proc: str) -> str | None:
    """Return where this process sees the engine's root directory, "" for its own; None for nowhere."""
    is_host = stores.engine_name == os.uname().nodename
    if not stores.data_root or not _is_engine(stores.peer, proc, is_host=is_host):
        return None
    root: str | None = f"{proc}/{stores.peer}/root"
    try:
        own, its = os.stat(f"{proc}/self/root/"), os.stat(f"{root}/")  # noqa: PTH116
    except PermissionError:
        # Of another user's process nothing is seen: it is this host's if it says so.
        root = "" if is_host else None
    except OSError:
        return None
    else:
        # The same directory with other mounts (PrivateTmp) is seen through the engine, too.
        same = (own.st_dev, own.st_ino) == (its.st_dev, its.st_ino)
        root = "" if same and _namespace("self", proc) == _namespace(stores.peer, proc) else root
    if root is None or _device(f"{root}{stores.data_root}") is None:
        return None
    return root


def _is_engine(pid: int, proc: str, *, is_host: bool) -> bool:
    """Tell whether a process may be an engine's: not one that forwards a socket to another machine.

    An init system that listens for an engine may also listen for a proxy: the engine must name this host.
    """
    named = _read(f"{proc}/{pid}/comm").startswith(_ENGINE)
    return named or (is_host and pid == _INIT)


def _namespace(pid: object, proc: str) -> str:
    try:
        return os.readlink(f"{proc}/{pid}/ns/mnt")  # noqa: PTH115
    except OSError:
        return ""


def _containerd_root(root: str) -> str:
    """Return where containerd keeps images, by its configuration."""
    from executor.bounds import InvalidToml, toml_table  # noqa: PLC0415 (few engines have one)

    try:
        told = toml_table(_read(f"{root}{_CONTAINERD_CONFIG}")).get("root")
    except InvalidToml:
        told = None
    return told.rstrip("/") if isinstance(told, str) and told.startswith("/") else _CONTAINERD


def _device(path: str) -> int | None:
    """Return the file system of a directory; None where none is seen."""
    try:
        return os.stat(path).st_dev  # noqa: PTH116
    except OSError:
        return None


def _read(path: str) -> str:
    from executor.files import read_regular  # noqa: PLC0415

    try:
        return read_regular(path, 65536).decode(errors="replace")
    except OSError:
        return ""

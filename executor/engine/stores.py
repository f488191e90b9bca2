"""Where an engine keeps what it stores, as it says itself, and which process answers for it."""

import _socket
import struct
from typing import NamedTuple

from executor.engine.api import Api
from executor.engine.info import info
from executor.engine.wire import as_table

_SECONDS = 30.0
_SNAPSHOTTER = "io.containerd.snapshotter"
_OWN_CONTAINERD = "/docker/containerd/containerd.sock"
"""How the address ends of a containerd that dockerd has started, whose root is in the data root."""
_CREDENTIALS = struct.Struct("3i")


class Stores(NamedTuple):
    """What an engine says of the directories that it fills."""

    data_root: str
    """Empty where the engine does not tell."""
    driver: str = ""
    in_containerd: bool = False
    """Whether images and containers lie in a containerd that is not the engine's own."""
    engine_name: str = ""
    """The name of its host."""
    peer: int = 0
    """The process that listens on the engine's socket; 0 where it is not seen from here."""


def stores(api: Api) -> Stores:
    """Return where the engine keeps what it stores."""
    told = info(api, _SECONDS)
    address = str(as_table(told.get("Containerd")).get("Address") or "")
    return Stores(
        data_root=str(told.get("DockerRootDir") or "").rstrip("/"),
        driver=str(told.get("Driver") or ""),
        in_containerd=_uses_snapshots(told) and not address.endswith(_OWN_CONTAINERD),
        engine_name=str(told.get("Name") or ""),
        peer=_peer(api) if api.local else 0,
    )


def _uses_snapshots(told: dict[str, object]) -> bool:
    """Tell whether images lie in containerd, and not in a store of dockerd's own."""
    status = told.get("DriverStatus")
    pairs = status if isinstance(status, list) else []
    return any(_SNAPSHOTTER in str(each[-1]) for each in pairs if isinstance(each, list) and each)


def _peer(api: Api) -> int:
    """Return the process behind the engine's socket, 0 where the kernel does not tell.

    It is the one that has begun to listen: systemd, where dockerd has the socket from there.
    """
    connection = api.connect(_SECONDS)
    try:
        told = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(told)[0])
    except OSError:
        return 0
    finally:
        connection.close()

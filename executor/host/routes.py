"""What the host has routes to in tables other than the main one: a VPN may have one of its own.

/proc/net/route has the main table alone.  Source: rtnetlink(7).
"""

import socket
import struct
from collections.abc import Iterator

_GET, _DONE, _ERROR = 26, 3, 2
_DUMP = 0x301  # a request for all of it
_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_DESTINATION = 1
_MAIN, _LOCAL = 254, 255
_WHERE_PACKETS_GO = frozenset((1, 6, 7, 8))
"""Types of routes: to somewhere, and those that drop or refuse packets."""
_SHORTEST_PREFIX = 8
_SECONDS = 5.0
_MOST = 1 << 16
_ALIGNED = 3


def policy_routes() -> tuple[str, ...]:
    """Return the IPv4 networks of these tables in CIDR form; nothing where the kernel does not tell.

    Without those that stand for a default route.
    """
    try:
        return tuple(dict.fromkeys(_networks()))
    except (OSError, struct.error):
        return ()


def _networks() -> Iterator[str]:
    for message in _messages():
        family, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(message)
        wanted = family == socket.AF_INET and kind in _WHERE_PACKETS_GO
        if not wanted or table in (_MAIN, _LOCAL) or length < _SHORTEST_PREFIX:
            continue
        for name, value in _attributes(message[_ROUTE.size :]):
            if name == _DESTINATION:
                yield f"{socket.inet_ntoa(value)}/{length}"


def _messages() -> Iterator[bytes]:
    """Yield what the kernel says of each IPv4 route."""
    body = _ROUTE.pack(socket.AF_INET, *bytes(_ROUTE.size - 4))
    request = _HEADER.pack(_HEADER.size + len(body), _GET, _DUMP, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.sendall(request)
        while True:
            answer = kernel.recv(_MOST)
            while answer:
                length, kind, *_ = _HEADER.unpack_from(answer)
                if kind in (_DONE, _ERROR):
                    return
                yield answer[_HEADER.size : length]
                answer = answer[_aligned(length) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, name = _ATTRIBUTE.unpack_from(data)
        yield name, data[_ATTRIBUTE.size : length]
        data = data[max(_aligned(length), _ATTRIBUTE.size) :]


def _aligned(length: int) -> int:
    return (length + _ALIGNED) & ~_ALIGNED

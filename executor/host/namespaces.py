"""Whether this process is on the Docker Engine's host, or in a container that only has its socket.

A socket that is there says nothing: it may be mounted into a container, forwarded from another
host, or lead into a virtual machine.
"""

import os
import socket
from collections.abc import Iterable

_ANY_PORT = 9


def shares_network(gateways: Iterable[str], engine_name: str) -> bool:
    """Tell whether this process has the network of the engine's host.

    The host has the `gateways`, which are its addresses on the engine's networks, and nobody else
    there has them.  An engine without any is asked for its host's name, which a container shares
    only if it is told to.
    """
    addresses = tuple(gateways)
    if not addresses:
        return bool(engine_name) and engine_name == os.uname().nodename
    return any(_is_own(each) for each in addresses)


def _is_own(address: str) -> bool:
    """Tell whether an address is one of this process's own; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # To itself, and to itself alone, a host goes from the same address.
            probe.connect((address, _ANY_PORT))
            return bool(probe.getsockname()[0] == address)
        except OSError:
            return False

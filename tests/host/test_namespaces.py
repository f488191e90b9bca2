"""Whether this process shares the network of the engine's host."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from executor.host.namespaces import shares_network

ROOT = Path(__file__).parents[2]
ASK = (
    "from executor.host.namespaces import shares_network;"
    "import sys; print(shares_network(sys.argv[1:], ''))"
)


@pytest.mark.parametrize(
    ("gateways", "shares"),
    [
        (("127.0.0.1",), True),
        (("192.0.2.1", "127.0.0.1"), True),
        # an address of somebody else, of nobody, and none
        (("192.0.2.1",), False),
        (("255.255.255.255", "no address", ""), False),
    ],
)
def test_an_address_of_the_engines_host(gateways: tuple[str, ...], *, shares: bool) -> None:
    """One of them that is this process's own is enough; the host's name does not matter then."""
    assert shares_network(gateways, os.uname().nodename) is shares


@pytest.mark.parametrize(
    ("name", "shares"), [(os.uname().nodename, True), ("another-host", False), ("", False)]
)
def test_an_engine_without_networks(name: str, *, shares: bool) -> None:
    """The name of its host counts, where it says one."""
    assert shares_network((), name) is shares


def test_a_network_of_its_own() -> None:
    """In another network namespace the host's addresses are somebody else's, or nobody's."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("this needs root and unshare")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", ASK, "127.0.0.1", "172.17.0.1"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n"

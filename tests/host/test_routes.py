"""Routes in other tables than the main one, in a network namespace of the test's own."""

import json
import subprocess
import sys

from pytest_mock import MockerFixture

from executor.host.routes import policy_routes

_ASK = "import json; from executor.host.routes import policy_routes as p; print(json.dumps(p()))"


def told(*commands: str) -> list[str]:
    """Return what is told after these commands of `ip`."""
    script = "; ".join(["ip link set lo up", *(f"ip {each}" for each in commands), 'exec "$@"'])
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, "sh", sys.executable, "-c", _ASK],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_what_only_another_table_has() -> None:
    """Networks, addresses, and what is refused; no default route, and nothing of the main table."""
    found = told(
        "route add 10.1.0.0/16 dev lo",
        "route add 172.29.7.0/24 dev lo table 52",
        "route add 100.64.0.9 dev lo table 52",
        "route add default dev lo table 51820",
        "route add 0.0.0.0/1 dev lo table 51820",
        "route add blackhole 172.27.0.0/16 table 999",
    )

    assert sorted(found) == ["100.64.0.9/32", "172.27.0.0/16", "172.29.7.0/24"]


def test_many_routes() -> None:
    """All of them are told, in however many answers."""
    script = "for a in 1 2 3 4 5 6 7 8; do for b in $(seq 250); do"
    lines = f"{script} echo route add 10.$a.$b.0/24 dev lo table 52; done; done"
    batch = f"link show lo >/dev/null; {{ {lines}; }} | ip -batch -"

    assert len(told(batch)) == 2000


def test_a_kernel_that_does_not_tell(mocker: MockerFixture) -> None:
    """Nothing is known then."""
    mocker.patch("socket.socket", side_effect=OSError("Address family not supported"))

    assert policy_routes() == ()

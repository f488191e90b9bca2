"""Many things over few connections."""

import threading
from collections.abc import Sequence

import pytest

from executor.commands.fleet.together import together
from executor.commands.gitlab.client import Client


def clients(count: int) -> Sequence[Client]:
    """Return clients that ask nobody."""
    return [Client(f"https://{number}.example.com", "x") for number in range(count)]


def test_all_things_in_their_order() -> None:
    """Each once, by several clients at the same time, and each of them by one thread."""
    several = threading.Barrier(3, timeout=30)
    users: dict[str, set[int]] = {}

    def act(client: Client, thing: int) -> int:
        if thing < 3:
            several.wait()
        users.setdefault(client.url, set()).add(threading.get_ident())
        return thing * 2

    assert together(clients(3), range(100), act) == list(range(0, 200, 2))
    assert {len(threads) for threads in users.values()} == {1}
    assert len(users) == 3


def test_nothing_to_do() -> None:
    """No thread is needed for that."""
    assert together(clients(2), (), lambda _, thing: thing) == []


def test_a_fault_is_raised() -> None:
    """It is nobody's outcome."""

    def act(_: Client, thing: int) -> int:
        if thing == 5:
            raise LookupError
        return thing

    with pytest.raises(LookupError):
        together(clients(3), range(10), act)

"""Networks that slots keep: those that no job is on or about to be on, and their removal."""

from collections.abc import Iterable

from executor.budgets.claims import claimed, of_network
from executor.engine.docker import Engine
from executor.notation.moments import moment

_LONGEST_SECONDS = 24 * 3600.0
"""How old a network may be: then its slot makes another, with what the engine and its firewall have now."""


def remove_old(engine: Engine, now: float) -> int:
    """Remove kept networks that are a day old and that no job is on; return how many have gone.

    Raises EngineUnavailable or EngineRefused.
    """
    old = [
        (str(each.get("Name")), str(each.get("Id")))
        for each in engine.kept.networks()
        if (made := moment(str(each.get("Created")))) and now - made > _LONGEST_SECONDS
    ]
    return remove_unclaimed(engine, old) if old else 0


def remove_unclaimed(engine: Engine, networks: Iterable[tuple[str, str]]) -> int:
    """Remove those of the networks, each with its name and id, that no job has claimed.

    Returns how many have gone.  The engine keeps those that a container is on, and a job that has claimed
    one since makes another.  Raises EngineRefused where the claims cannot be seen.
    """
    taken = claimed(engine.kept.volumes())
    free = [identity for name, identity in networks if of_network(name) not in taken]
    return sum(not engine.kept.remove_network(each) for each in free)

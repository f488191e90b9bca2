"""Networks that slots keep, when nobody is on them."""

import time
from datetime import UTC, datetime

from executor.budgets.claims import of_network
from executor.budgets.networks import remove_old, remove_unclaimed
from executor.notation.claims import CLAIM_LABEL
from tests.engine.stub import StubEngine, http, refusal

NETWORKS = [("claimed", "a"), ("free", "b"), ("used", "c"), ("gone", "d")]


def an_engine(stub: StubEngine) -> None:
    claim = {"Name": "claim", "Labels": {CLAIM_LABEL: of_network("claimed")}}
    stub.on("GET", "/volumes", http(200, {"Volumes": [claim]}))
    stub.on("DELETE", "/networks/b", http(204))
    stub.on("DELETE", "/networks/c", refusal(403, "has active endpoints"))
    stub.on("DELETE", "/networks/d", refusal(404, "network d not found"))


def removed(stub: StubEngine) -> list[str]:
    """Return what was asked to be removed."""
    return [each.path.rpartition("/")[2] for each in stub.asked("DELETE", "/networks/")]


def test_those_that_no_job_has_claimed_go(stub: StubEngine) -> None:
    """The engine says of the others that something is on them; one that is gone is gone."""
    an_engine(stub)

    assert remove_unclaimed(stub.engine(), NETWORKS) == 2
    assert removed(stub) == ["b", "c", "d"]


def test_those_that_are_a_day_old_go(stub: StubEngine) -> None:
    """A younger one stays, and one whose age nobody knows; claims are looked at only if need be."""
    an_engine(stub)
    now = time.time()

    def listed(age: float, identity: str) -> dict[str, object]:
        made = datetime.fromtimestamp(now - age, UTC).isoformat()
        return {"Name": "free", "Id": identity, "Created": made}

    young = [listed(23 * 3600, "x"), {"Name": "free", "Id": "y", "Created": "?"}]
    stub.on("GET", "/networks", http(200, young))
    assert remove_old(stub.engine(), now) == 0
    assert stub.asked("GET", "/volumes") == []

    stub.on("GET", "/networks", http(200, [*young, listed(25 * 3600, "b")]))
    assert remove_old(stub.engine(), now) == 1
    assert removed(stub) == ["b"]

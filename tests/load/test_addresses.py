"""A share of `tests.load.addresses`; that module says what it is."""

from tests.load import addresses


def test_networks_at_once() -> None:
    """Each job gets addresses of its own, whatever is in the way, or the sentence of a pool used up."""
    assert addresses.main(["--networks=24"]) == 0

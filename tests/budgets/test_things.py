"""What is kept, as plain data."""

from executor.budgets.things import CACHE, IMAGE, Gone, Thing


def test_what_the_log_says_of_a_thing_that_went() -> None:
    """Its kind, its name as people know it, why it went, and its size if it is known."""
    thing = Thing(IMAGE, "sha256:1", "alpine:3", 1000.4, size=5)

    assert Gone(thing, "unused").facts() == {
        "kind": "image",
        "name": "alpine:3",
        "reason": "unused",
        "bytes": 5,
        "used": 1000,
    }


def test_what_the_log_says_of_a_thing_that_is_left() -> None:
    """The engine's reason stands beside it."""
    thing = Thing(CACHE, "v", "v", 1.0)

    assert Gone(thing, "unused", "volume is in use").facts()["error"] == "volume is in use"
    assert not thing.is_image

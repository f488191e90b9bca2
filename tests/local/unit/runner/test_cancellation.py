"""Who stops what."""

from executor.local.runner.cancellation import Cancellation


def test_a_child_is_cancelled_with_its_parent() -> None:
    """A parent is not cancelled with its child, and the first reason stays."""
    parent = Cancellation()
    child = Cancellation(parent)
    other = Cancellation(parent)
    other.call_off("other")
    assert parent.reason == ""
    parent.call_off("first")
    parent.call_off("second")
    assert ("first", "first", "other") == (parent.reason, child.reason, other.reason)
    assert Cancellation(parent).reason == "first"

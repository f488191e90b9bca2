"""Findings of one check, and which of them count."""

from executor.commands.doctor.findings import fail, ok, settled, skip, warn


def test_what_is_wrong_outweighs_what_is_right() -> None:
    """A check that found a fault does not say that all is well."""
    wrong = [warn("a", "b", "c"), fail("d", "e", "f")]

    assert settled([wrong[0], ok("fine"), wrong[1], ok("well")]) == wrong


def test_what_was_not_seen_stands_beside_what_is_right() -> None:
    """The last `ok` and what was skipped are both said."""
    assert settled([skip("x"), ok("a"), ok("b")]) == [ok("b"), skip("x")]


def test_a_check_without_a_finding_is_an_error() -> None:
    """A check that forgets to say anything is not taken for a good sign."""
    assert [each.level for each in settled([])] == ["error"]

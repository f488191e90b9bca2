"""How what is kept of a slot's sources is written, and how their places are named."""

import pytest

from executor.notation.sources import SourcesRecord, parse_record, place_of


def test_a_record_is_read_as_it_was_written() -> None:
    """Nothing of it is lost."""
    record = SourcesRecord(3, 1, 2, (2, 4))

    assert parse_record(record.as_json()) == record


@pytest.mark.parametrize(
    "decoded",
    [
        {},
        {"version": 2, "generation": 5},
        {"version": 1, "generation": "5", "failures": None, "trials": [], "old": 7},
        {"version": 1, "generation": -1, "failures": 10**30, "trials": 1.5, "old": ["../x", None]},
    ],
)
def test_what_cannot_be_read_is_nothing(decoded: dict[str, object]) -> None:
    """The slot begins with its first place, and no failure counts."""
    assert parse_record(decoded)[:3] == (0, 0, 0)


def test_no_record_gives_up_what_it_calls_the_slots_own() -> None:
    """Whatever a file says, the place that is in use is not among the old ones."""
    found = parse_record({"version": 1, "generation": 2, "old": [2, 1, 2, 1, *range(50)]})

    assert found.generation not in found.old
    assert len(found.old) <= 20


def test_only_later_places_have_a_number() -> None:
    """The first one is called as it always was."""
    assert [place_of("sources", each) for each in range(3)] == ["sources", "sources-2", "sources-3"]

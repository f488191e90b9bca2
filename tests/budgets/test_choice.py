"""What has to go so that the budgets hold."""

from hypothesis import given
from hypothesis import strategies as st

from executor.budgets.choice import (
    TINY,
    TOO_LARGE,
    TOO_MUCH,
    UNUSED,
    Budget,
    by_age,
    choose,
    for_room,
)
from executor.budgets.things import CACHE, Stays, Thing

NOW = 1_000_000_000.0
DAY = 86400


def thing(name: str, days: float = 0.0, size: int | None = 10, stays: Stays = Stays.NO) -> Thing:
    """Return a thing that was used so many days ago."""
    return Thing(CACHE, name, name, NOW - days * DAY, size, (name,), stays)


def names(things: list[Thing]) -> list[str]:
    return [each.name for each in things]


def test_without_a_budget_nothing_goes() -> None:
    """However much there is, and however old."""
    assert choose([thing("a", days=9999, size=10**15)], Budget(), NOW) == ((), 0)


def test_what_nobody_used_for_too_long_goes() -> None:
    """The oldest one first; one that is exactly as old as allowed stays."""
    things = [thing("young", 6), thing("old", 8), thing("border", 7), thing("oldest", 9)]

    assert choose(things, Budget(days=7), NOW).going == (
        (things[3], UNUSED),
        (things[1], UNUSED),
    )


def test_what_is_too_much_goes_least_recently_used_first() -> None:
    """No more goes than must."""
    things = [thing("a", 1), thing("c", 3), thing("b", 2)]

    assert choose(things, Budget(size=25), NOW) == (((things[1], TOO_MUCH),), 0)
    assert choose(things, Budget(size=30), NOW) == ((), 0)
    assert [each.name for each, _ in choose(things, Budget(size=5), NOW).going] == ["c", "b", "a"]


def test_what_goes_by_its_age_counts_no_more() -> None:
    """Both bounds together remove no more than either demands."""
    things = [thing("old", 9), thing("b", 2), thing("a", 1)]

    assert choose(things, Budget(size=20, days=7), NOW).going == ((things[0], UNUSED),)


def test_what_must_stay_counts_and_stays() -> None:
    """What is too much by it alone is said."""
    things = [
        thing("used", 9, 30, Stays.IN_USE),
        thing("claimed", 8, 30, Stays.CLAIMED),
        thing("free", 1, 10),
    ]

    choice = choose(things, Budget(size=50, days=1), NOW)

    assert [each.name for each, _ in choice.going] == ["free"]
    assert choice.excess == 10


def test_what_nobody_has_measured_goes_by_its_age_alone() -> None:
    """It counts as nothing, and to remove it would help nothing that is known."""
    things = [thing("unknown", 5, None), thing("empty", 4, 0), thing("known", 3, 20)]

    assert [each.name for each, _ in choose(things, Budget(size=10), NOW).going] == ["known"]
    assert [each.name for each, _ in choose(things, Budget(days=4), NOW).going] == ["unknown"]


def test_by_age_leaves_out_what_must_stay() -> None:
    """And goes by the name where two were used at one moment."""
    things = [thing("b"), thing("a"), thing("old", 1), thing("x", 2, stays=Stays.SETTINGS)]

    assert names(by_age(things)) == ["old", "a", "b"]


def test_one_that_takes_too_much_by_itself() -> None:
    """It goes although there is room for all."""
    things = [thing("a", 1, 10), thing("b", 2, 11), thing("used", 3, 12, Stays.IN_USE)]

    assert choose(things, Budget(size=100, each=10), NOW).going == ((things[1], TOO_LARGE),)


THINGS = st.lists(
    st.builds(
        lambda days, size, stays: (days, size, stays),
        st.integers(0, 20),
        st.one_of(st.none(), st.integers(0, 100)),
        st.sampled_from(Stays),
    ),
    max_size=12,
)


@given(THINGS, st.integers(0, 300), st.integers(0, 20))
def test_whatever_is_there(
    found: list[tuple[int, int | None, Stays]], size: int, days: int
) -> None:
    """Nothing that must stay goes, the budget holds as far as it can, and nothing goes for nothing."""
    things = [thing(str(place), *each) for place, each in enumerate(found)]

    going, excess = choose(things, Budget(size, days), NOW)

    assert all(each.stays is Stays.NO for each, _ in going)
    left = [each for each in things if each not in dict(going)]
    taken = sum(each.size or 0 for each in left)
    if size:
        assert excess == max(0, taken - size)
        assert not excess or all(each.stays is not Stays.NO or not each.size for each in left)
    for each, reason in going:
        if reason is TOO_MUCH:
            assert size
            younger = [one for one in left if one.stays is Stays.NO and one.size]
            assert all(one.used >= each.used for one in younger)


def test_what_goes_where_room_is_wanted() -> None:
    """The least recently used, no more than it takes, and nothing that frees nothing that is known."""
    things = [
        thing("a", 1, 9 * TINY),
        thing("b", 2, 9 * TINY),
        thing("tiny", 3, TINY - 1),
        thing("unknown", 4, None),
        thing("used", 5, 9 * TINY, Stays.IN_USE),
    ]

    assert [each.name for each in for_room(things, 1)] == ["b"]
    assert [each.name for each in for_room(things, 10 * TINY)] == ["b", "a"]
    assert [each.name for each in for_room(things, 10**15)] == ["b", "a"]
    assert for_room(things, 0) == ()

"""Jobs break the sources that their slot keeps: some of the ways of `tests.load.broken_slots`."""

from collections.abc import Iterator

import pytest

from tests.gitlab import trace
from tests.load.broken_slots import Slots, slots
from tests.rig.state import Rig


@pytest.fixture(scope="module")
def there(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slots]:
    """A project on a gitlab-runner of its own, with sources of protected refs."""
    with slots(rig, tmp_path_factory.mktemp("slots")) as made:
        protected, log = made.run("echo mine >.git/mark", protected=True)
        assert protected.state == "success", log
        yield made
        protected, log = made.run("cat .git/mark", protected=True)
        assert "\nmine" in trace.plain(protected.trace), log


@pytest.mark.parametrize(
    ("way", "failures"),
    [
        ("a pipe as configuration", 1),
        ("a hook that refuses each update", 2),
        ("another server's address", 2),
    ],
)
def test_a_slot_that_is_broken_heals(there: Slots, way: str, failures: int) -> None:
    """The next job but one gets fresh sources, or the next one where the first hung until its timeout."""
    broken = there.break_in(way)

    assert broken.faults == ()
    assert broken.states == (*["failed"] * failures, "success")
    assert broken.fresh == failures + 1


def test_no_sources_are_lost_while_gitlab_is_away(there: Slots) -> None:
    """However many jobs fail meanwhile, the next one finds what was there."""
    assert there.away(2) == []

"""When the sources that a slot keeps are given up."""

from executor.notation.sources import SourcesRecord
from executor.plan.sources import (
    FAILURE,
    TIMEOUT,
    after_failure,
    after_success,
    is_due,
    next_generation,
    with_trial,
)

NONE = SourcesRecord()


def failed(record: SourcesRecord, *weights: int) -> SourcesRecord:
    """Return a record after failures on the kept sources."""
    for each in weights:
        record = after_failure(record, record.generation, each)
    return record


def test_it_takes_two_failures_or_a_timeout() -> None:
    """One failure may be anything; a job that hung until its timeout is enough."""
    assert not is_due(NONE)
    assert not is_due(failed(NONE, FAILURE))
    assert is_due(failed(NONE, FAILURE, FAILURE))
    assert is_due(failed(NONE, TIMEOUT))


def test_only_failures_in_a_row_count() -> None:
    """A job that fetches has proved the sources."""
    proved = after_success(failed(NONE, FAILURE), 0)

    assert proved == NONE
    assert not is_due(failed(proved, FAILURE))


def test_a_clone_that_succeeds_takes_the_place() -> None:
    """Where the sources were before is to be removed, and nothing else."""
    tried = with_trial(failed(NONE, TIMEOUT), 1)
    assert tried.old == (1,)

    assert after_success(tried, 1) == SourcesRecord(1, old=(0,))


def test_a_clone_that_fails_leaves_the_sources() -> None:
    """Its own place goes, and the next trial takes twice as many failures."""
    tried = after_failure(with_trial(failed(NONE, TIMEOUT), 1), 1, FAILURE)

    assert (tried.generation, tried.old) == (0, (1,))
    assert not is_due(tried)
    assert not is_due(failed(tried, TIMEOUT, FAILURE))
    assert is_due(failed(tried, TIMEOUT, TIMEOUT))


def test_trials_that_never_help_become_rare() -> None:
    """It takes no more than 64 failures, however many trials there were."""
    record = NONE._replace(trials=5)
    for _ in range(3):
        record = after_failure(record, 9, FAILURE)

    assert not is_due(record._replace(failures=63))
    assert is_due(record._replace(failures=64))


def test_a_place_is_nobodys_before() -> None:
    """Its number is higher than any that is known."""
    assert next_generation(NONE) == 1
    assert next_generation(SourcesRecord(1, old=(0,))) == 2
    assert next_generation(SourcesRecord(1, old=(0, 4))) == 5


def test_what_cannot_be_removed_does_not_pile_up() -> None:
    """Five old places at most wait for their removal; then the slot stays as it is."""
    assert next_generation(SourcesRecord(9, old=(1, 2, 3, 4))) == 10
    assert next_generation(SourcesRecord(9, old=(1, 2, 3, 4, 5))) is None

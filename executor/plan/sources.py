"""When the sources that a slot keeps are begun anew, and what is remembered of each job.

Sources are given up only where fetching into them has failed twice in a row, GitLab having answered each
time, and where a clone into an empty place succeeds then.  Pure: no I/O.
"""

from executor.notation.sources import SourcesRecord

FETCHING = ("fetch", "clone")
"""The strategies by which get_sources asks GitLab for something."""

_ENOUGH = 2
_MOST_TRIALS = 5
"""From then on it takes 64 failures to try an empty place once more."""
_MOST_OLD = 5
"""How many places may wait for their removal; more would fill the disk."""

FAILURE, TIMEOUT = 1, _ENOUGH
"""How much it counts that fetching failed."""


def is_due(record: SourcesRecord) -> bool:
    """Tell whether the next job tries an empty place.

    It takes twice as many failures each time that it did not help: then the sources are not at fault.
    """
    return record.failures >= _ENOUGH << min(record.trials, _MOST_TRIALS)


def next_generation(record: SourcesRecord) -> int | None:
    """Return the generation of an empty place, None where too many old ones could not be removed."""
    if len(record.old) >= _MOST_OLD:
        return None
    return max((record.generation, *record.old)) + 1


def with_trial(record: SourcesRecord, generation: int) -> SourcesRecord:
    """Return the record with an empty place that a job tries: it goes unless the trial succeeds."""
    return record._replace(old=(*record.old, generation))


def after_success(record: SourcesRecord, generation: int) -> SourcesRecord:
    """Return the record after a job has fetched into a generation's place, or cloned into it."""
    left = record.old
    if generation != record.generation:
        left = (*(each for each in record.old if each != generation), record.generation)
    return SourcesRecord(generation, old=left)


def after_failure(record: SourcesRecord, generation: int, weight: int) -> SourcesRecord:
    """Return the record after fetching has failed though GitLab answered; see FAILURE and TIMEOUT."""
    if generation != record.generation:
        return record._replace(failures=0, trials=min(record.trials, _MOST_TRIALS) + 1)
    return record._replace(failures=record.failures + weight)

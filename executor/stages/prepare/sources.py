"""Chooses the place of the sources that a job finds again: an empty one where fetching fails for good."""

import time

from executor.dataclass import replace
from executor.engine.docker import Engine
from executor.host.sources import recall, record_name, remember
from executor.log import say
from executor.notation.sources import SourcesRecord, place_of
from executor.plan.inputs import Inputs
from executor.plan.slots import git_strategy
from executor.plan.sources import FETCHING, is_due, next_generation, with_trial
from executor.plan.volumes import Mounted
from executor.runner.sources_note import SourcesNote


def choose_sources(engine: Engine, inputs: Inputs, address: str, temp_dir: str) -> Inputs:
    """Return the inputs with the sources' generation; leave a note for later calls.

    `address` is the engine's.  There is no note of a job that finds no sources again, or fetches
    nothing.  Raises OSError where it cannot be left.
    """
    builds = inputs.volumes.builds
    if not builds.first:
        return inputs
    state_dir, name = inputs.settings.sweep.state_dir, record_name(address, builds.first)
    record = recall(state_dir, name)
    fetches = git_strategy(inputs) in FETCHING
    generation = record.generation
    if fetches and is_due(record):
        record, generation = _empty_place(engine, builds, record, f"{state_dir}/{name}")
        if generation != record.generation and not remember(state_dir, name, record):
            generation = record.generation
    chosen = replace(inputs, generation=generation) if generation else inputs
    if not fetches:
        return chosen
    note = SourcesNote(
        state_dir,
        name,
        builds.first,
        builds.volume is not None,
        generation,
        record,
        time.monotonic(),
        inputs.job.timeout_seconds,
    )
    if note.is_trial:
        say(
            "WARNING: Fetching into the sources that this slot has kept fails, although GitLab"
            f" answers. This job clones into a fresh {_kind(builds)}. If that succeeds, the old"
            " one is no longer used."
        )
    note.leave(temp_dir)
    return chosen


def _empty_place(
    engine: Engine, builds: Mounted, record: SourcesRecord, file: str
) -> tuple[SourcesRecord, int]:
    """Return an empty place's generation, and the record with it; the old one where there is none.

    `file` is where the record lies.
    """
    generation = next_generation(record)
    while generation is not None:
        record = with_trial(record, generation)
        # One of this name may be left from a time of which the record is lost.
        if builds.volume is None or not engine.kept.remove_volume(
            place_of(builds.first, generation)
        ):
            return record, generation
        generation = next_generation(record)
    old = ", ".join(place_of(builds.first, each) for each in record.old)
    # Nobody here sees whether a directory of the engine's host is gone.
    also = f", and {file} on the host of gitlab-runner" if builds.volume is None else ""
    say(
        "WARNING: Fetching into the sources that this slot has kept fails, although GitLab answers."
        f" They stay, because earlier ones that were given up are still there: {old}. Remove"
        f" these{also}."
    )
    return record, record.generation


def _kind(builds: Mounted) -> str:
    return "directory" if builds.volume is None else "volume"

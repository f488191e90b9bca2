"""Makes checks and what they need at the same time, each within its deadline.

What does not end in time goes on in a thread that nobody waits for, and ends with the command.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TypeVar

from executor.commands.doctor.facts import Facts
from executor.commands.doctor.findings import (
    CannotTell,
    Check,
    Finding,
    Level,
    Result,
    settled,
    skip,
)

T = TypeVar("T")
Outcome = tuple[T | Exception, float]
"""What a function returned or raised, and after how many seconds."""


def in_time(calls: Sequence[tuple[Callable[[], T], float]]) -> list[Outcome[T]]:
    """Call all functions at once; TimeoutError stands for what took longer than its seconds."""
    started = time.monotonic()
    came: list[Outcome[T] | None] = [None] * len(calls)

    def run(place: int, function: Callable[[], T]) -> None:
        try:
            outcome: T | Exception = function()
        except Exception as error:  # noqa: BLE001 (it is what was found)
            outcome = error
        came[place] = (outcome, time.monotonic() - started)

    threads = [
        threading.Thread(target=run, args=(place, function), daemon=True)
        for place, (function, _) in enumerate(calls)
    ]
    for each in threads:
        each.start()
    found: list[Outcome[T]] = []
    for place, (each, (_, seconds)) in enumerate(zip(threads, calls, strict=True)):
        each.join(max(0.0, started + seconds - time.monotonic()))
        late = TimeoutError(f"it took longer than {seconds:.0f} seconds")
        found.append(came[place] or (late, seconds))
    return found


def check_all(checks: Sequence[Check], facts: Facts, ignored: Collection[str] = ()) -> list[Result]:
    """Make checks; return all findings in the order of the table."""
    outcomes = in_time([(partial(judged, each, facts), each.seconds) for each in checks])
    return [
        Result(check, finding, seconds, check.id in ignored)
        for check, (outcome, seconds) in zip(checks, outcomes, strict=True)
        for finding in _findings(outcome)
    ]


def judged(check: Check, facts: Facts) -> list[Finding]:
    """Make one check; it raises what its own code raises."""
    if check.needs_runner and not facts.config.runners:
        return [skip("config.toml has no runner of dind-executor (see `config`)")]
    if check.needs_engine and facts.engine.problem:
        return [skip("the engine does not answer (see `engine-socket`)")]
    if check.needs_host and facts.elsewhere:
        return [skip(facts.elsewhere)]
    try:
        return settled(check.look(facts))
    except CannotTell as error:
        return [skip(str(error))]


def _findings(outcome: list[Finding] | Exception) -> Iterable[Finding]:
    if not isinstance(outcome, Exception):
        return outcome
    return [
        Finding(
            Level.ERROR,
            f"the check failed: {_failure(outcome)}",
            "a check that ends",
            "run it again; if it stays so, report it, and leave it out with --ignore",
        )
    ]


def _failure(error: Exception) -> str:
    """Return what went wrong, and where, without the words of an error, which may quote a secret."""
    trace = error.__traceback__
    if trace is None:
        return str(error)  # of `in_time`
    while trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(error).__name__} at {name}:{trace.tb_lineno}"

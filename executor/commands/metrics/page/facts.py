"""What the page is made of, and what on it needs somebody's attention: pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from executor.commands.metrics.host import Seen
from executor.commands.metrics.page.rows import Now, Past
from executor.disk.limits import Limits
from executor.notation.durations import age_text
from executor.notation.sizes import size_text
from executor.record.endings import ADMINISTRATOR

CRITICAL, WARNING = "critical", "warning"

_SWEEP_SECONDS = 3600.0
_NETWORKS_SHARE = 0.8
_MANY = 3


class Facts(NamedTuple):
    """Everything that the page shows."""

    host: str
    version: str
    at: float
    """Now, in seconds since 1970."""
    seen: Seen
    now: Sequence[Now]
    silent: int
    """How many jobs nobody ends."""
    past: Sequence[Past]
    limits: Limits | None
    budgets: Mapping[str, int]
    doctor_file: str
    is_read: bool
    """Whether the records can be read."""


class Problem(NamedTuple):
    """Something that needs attention."""

    level: str
    sentence: str


def problems(facts: Facts) -> list[Problem]:
    """Return what is wrong, the worst first."""
    engine, disks, left = facts.seen
    found: list[Problem] = []
    if engine is None:
        found.append(Problem(CRITICAL, "The Docker Engine does not answer."))
    elif engine.networks_used > _NETWORKS_SHARE * engine.networks_capacity:
        found.append(Problem(WARNING, "The addresses for networks of jobs run out."))
    for place, free in disks if facts.limits else ():
        if facts.limits and not facts.limits.admits(free):
            sentence = f"No job can begin: {size_text(free.bytes)} are free in {place.name}."
            found.append(Problem(CRITICAL, sentence))
    if not facts.is_read:
        sentence = "The records of jobs cannot be read: what this page says of jobs is old."
        found.append(Problem(WARNING, sentence))
    failed = [each for each in facts.past if each.fault == ADMINISTRATOR]
    if len(failed) >= _MANY:
        sentence = f"{len(failed)} of the last {len(facts.past)} jobs failed because of the host."
        found.append(Problem(WARNING, sentence))
    if facts.silent:
        jobs = "1 job was" if facts.silent == 1 else f"{facts.silent} jobs were"
        found.append(Problem(WARNING, f"{jobs} never ended: gitlab-runner was killed."))
    if left is not None:
        found += _of_left(facts)
    return sorted(found, key=lambda each: each.level != CRITICAL)


def _of_left(facts: Facts) -> list[Problem]:
    found: list[Problem] = []
    left = facts.seen.left
    sweep, doctor = (left.sweep, left.doctor) if left else (None, None)
    if sweep is not None and sweep.error:
        found.append(Problem(WARNING, f"The last sweep failed: {sweep.error}"))
    elif sweep is not None and facts.at - sweep.at > _SWEEP_SECONDS:
        found.append(Problem(WARNING, f"The last sweep was {age_text(facts.at - sweep.at)} ago."))
    if sweep is not None and sweep.left:
        jobs = "1 dead job" if len(sweep.left) == 1 else f"{len(sweep.left)} dead jobs"
        found.append(Problem(WARNING, f"What {jobs} left cannot be removed."))
    bad = doctor.counts["fail"] + doctor.counts["error"] if doctor else 0
    if bad:
        things = "1 thing" if bad == 1 else f"{bad} things"
        found.append(Problem(WARNING, f"doctor found {things} that will make jobs fail."))
    kept = left.kept if left else {}
    over = [kind for kind, most in facts.budgets.items() if kept.get(kind, 0) > most]
    found += [Problem(WARNING, f"More {each.replace('_', ' ')} are kept than allowed.") for each in over]  # fmt: skip
    return found

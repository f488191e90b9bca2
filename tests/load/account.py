"""What many signals at gitlab-runner and its stages came to: counted, judged and told."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

UNPROTECTED_MS = 3.0
"""No stage that is older may die of the signal."""
NO_HOOK_YET = "gitlab-runner's child, not yet a hook"
"""What a process is called between the fork and the hook's exec, which a busy host delays."""
YOUNG_MS = 50.0
"""The first part of a stage, in which half of the signals are aimed."""


@dataclass(slots=True)
class Moment:
    """One signal: the ages in ms of the stages that it reached, and who died of it, by age."""

    ages: list[float]
    others: int
    dead: list[tuple[str, float]] = field(default_factory=list)
    # Of the dead, those that were Python already, or not gitlab-runner's own children.
    begun: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """What came of a number of moments."""

    moments: list[Moment] = field(default_factory=list)
    jobs: int = 0
    # From the fork to Python: what a hook takes that nobody hits.
    starts_ms: list[float] = field(default_factory=list)
    # Jobs of which a stage died of the signal, and what else went wrong.
    hit: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def dead(self) -> list[tuple[str, float]]:
        """Return what died of the signal, with its age in ms."""
        return [death for moment in self.moments for death in moment.dead]

    def add(self, other: "Account") -> None:
        """Add what came of other moments."""
        self.moments += other.moments
        self.jobs += other.jobs
        self.starts_ms += other.starts_ms
        self.hit += other.hit
        self.wrong += other.wrong

    def faults(
        self, unprotected_ms: float = UNPROTECTED_MS, *, of_hooks_only: bool = False
    ) -> list[str]:
        """Return what must not be, in sentences; no hook yet may be of any age with the option."""
        late = [
            f"{name} died of the signal when it was {age:.2f} ms old"
            for name, age in self.dead()
            if age > unprotected_ms and not (of_hooks_only and name == NO_HOOK_YET)
        ]
        late += [f"{name} had begun" for moment in self.moments for name in moment.begun]
        if len(self.hit) > len(self.dead()):
            late.append(f"{len(self.hit)} jobs were hit, but only {len(self.dead())} stages died")
        return [*self.wrong, *late]

    def told(self) -> Iterator[str]:
        """Yield the numbers, a line each."""
        ages = sorted(age for moment in self.moments for age in moment.ages)
        young = sum(age <= YOUNG_MS for age in ages)
        unprotected = sum(age <= UNPROTECTED_MS for age in ages)
        others = sum(moment.others for moment in self.moments)
        yield f"{len(self.moments)} signals, {self.jobs} jobs"
        yield f"{len(ages)} stages reached: {young} in their first 50 ms, {unprotected} in 3 ms"
        yield f"{others} processes below stages reached"
        if self.starts_ms:
            ordered = sorted(self.starts_ms)
            middle, most = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
            yield (
                f"{len(ordered)} stages from the fork to Python: median {middle:.2f} ms, 95 of 100"
                f" in {most:.2f} ms, the slowest in {ordered[-1]:.2f} ms"
            )
        yield f"{len(self.dead())} stages died of the signal:"
        yield from (f"  {name}, {age:.2f} ms old" for name, age in sorted(self.dead()))
        yield f"{len(self.hit)} jobs were hit by that, all others ended as without a signal"
        yield from (f"  {said}" for said in self.hit)

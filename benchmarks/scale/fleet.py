"""A queue of jobs, and hosts that ask for them: a simulation of what GitLab sees and what jobs wait.

A host asks while it has a free slot: every `check_interval` seconds at its own times, and at once again
after it was given a job.  A full host asks as soon as a job ends, if its time to ask has come meanwhile.
A request takes the job that waits longest.  With long polling, GitLab holds a request that it has no job
for, and wakes all requests held for a token as a job comes: one of them gets it.  So gitlab-runner 17.9
and GitLab do it.  The same seed gives the same figures.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

Draw = Callable[[random.Random], float]
Jobs = Iterable[tuple[float, float]]
"""When each job comes, in this order, and how long it takes, in seconds."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What hosts behind one token are like."""

    hosts: int
    slots: int
    check_interval: float = 3.0
    hold: float = 0.0
    """How many seconds GitLab holds a request; 0 is an answer at once."""
    phases: Sequence[float] = ()
    """When each host asks first; at random times without them."""
    late: float = 0.0
    """By how many seconds a host asks too late, mean of random times: else few ask in some moments."""


@dataclass(slots=True)
class Seen:
    """What came of it."""

    waits: list[float] = field(default_factory=list)
    """How long each job was in the queue, in the order in which they were handed out."""
    with_job: int = 0
    without_job: int = 0
    """How many requests GitLab's application answered so."""
    timed_out: int = 0
    """How many requests were held to the end: the application does not see them."""
    seconds: float = 0.0
    ended: float = 0.0
    """When the last job ended."""

    @property
    def requests_a_second(self) -> float:
        """How often the application is asked for a job."""
        return (self.with_job + self.without_job) / self.seconds

    @property
    def mean_wait(self) -> float:
        """The mean of the seconds in the queue."""
        return sum(self.waits) / len(self.waits)

    def wait_of(self, share: float) -> float:
        """Return the seconds that this share of the jobs waits at most."""
        ordered = sorted(self.waits)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(slots=True)
class _Host:
    free: int
    is_due: bool = False
    """Whether its time to ask came while it was full."""
    held: int = 0
    """The number of the request that GitLab holds; 0 without one."""


class _Run:
    def __init__(self, fleet: Fleet, seed: int, busy: Iterable[float]) -> None:
        self.fleet = fleet
        self.seen = Seen()
        self.draw = random.Random(seed)
        self.hosts = [_Host(fleet.slots) for _ in range(fleet.hosts)]
        self.queue: deque[tuple[float, float]] = deque()
        self.running = 0
        self._held: dict[int, None] = {}
        self._events: list[tuple[float, int, str, int, int]] = []
        self._numbers = count(1)
        for number, left in enumerate(busy):
            self._take(number % fleet.hosts, left)
        for index in range(fleet.hosts):
            own = fleet.phases[index] if fleet.phases else None
            first = self.draw.uniform(0, fleet.check_interval) if own is None else own
            self.at(first, "tick", index)

    def at(self, time: float, what: str, host: int = 0, number: int = 0) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), what, host, number))

    def next_event(self) -> tuple[float, str, int, int]:
        time, _, what, host, number = heapq.heappop(self._events)
        return time, what, host, number

    def tick(self, time: float, index: int) -> None:
        host = self.hosts[index]
        host.is_due = not host.free
        if host.free:
            late = self.draw.expovariate(1 / self.fleet.late) if self.fleet.late else 0.0
            self.at(time + self.fleet.check_interval + late, "tick", index)
            self.ask(time, index)

    def end(self, time: float, index: int) -> None:
        host = self.hosts[index]
        host.free += 1
        self.running -= 1
        self.seen.ended = time
        if host.is_due:
            self.tick(time, index)

    def come(self, time: float, seconds: float) -> None:
        """Have a job come, which wakes all requests that are held."""
        self.queue.append((time, seconds))
        woken = list(self._held)
        self._held.clear()
        self.draw.shuffle(woken)
        for index in woken:
            self.hosts[index].held = 0
            self.ask(time, index, is_woken=True)

    def ask(self, time: float, index: int, *, is_woken: bool = False) -> None:
        """Have a host ask until it is given nothing more, or has no free slot."""
        host = self.hosts[index]
        while host.free and not host.held:
            if self.queue:
                arrived, seconds = self.queue.popleft()
                self._take(index, time + seconds)
                self.seen.with_job += 1
                self.seen.waits.append(time - arrived)
                is_woken = False
                continue
            if self.fleet.hold and not is_woken:
                host.held = next(self._numbers)
                self._held[index] = None
                self.at(time + self.fleet.hold, "answer", index, host.held)
            else:
                self.seen.without_job += 1
            return

    def time_out(self, index: int, number: int) -> None:
        host = self.hosts[index]
        if host.held == number:
            host.held = 0
            del self._held[index]
            self.seen.timed_out += 1

    def _take(self, index: int, ends: float) -> None:
        self.hosts[index].free -= 1
        self.running += 1
        self.at(ends, "end", index)


def simulate(
    fleet: Fleet,
    jobs: Jobs,
    *,
    seed: int,
    until: float = math.inf,
    warm: float = 0.0,
    busy: Iterable[float] = (),
) -> Seen:
    """Return what comes of jobs, until a moment or until all are over.

    What happens before `warm` seconds is not counted; `busy` are jobs that run from the beginning, on
    hosts in turn, with the seconds that each has left.
    """
    run = _Run(fleet, seed, busy)
    coming = iter(jobs)
    following = next(coming, None)
    if following:
        run.at(following[0], "job")
    is_warm = False
    time = 0.0
    while following or run.queue or run.running or until < math.inf:
        time, what, index, number = run.next_event()
        if time > until:
            break
        if not is_warm and time >= warm:
            is_warm, run.seen = True, Seen()
        if what == "tick":
            run.tick(time, index)
        elif what == "end":
            run.end(time, index)
        elif what == "answer":
            run.time_out(index, number)
        elif following:
            run.come(time, following[1])
            following = next(coming, None)
            if following:
                run.at(following[0], "job")
    run.seen.seconds = (time if until == math.inf else until) - warm
    return run.seen


def poisson(
    rate: float, seconds: Draw, *, seed: int, until: float
) -> Iterator[tuple[float, float]]:
    """Return jobs that come at random, so many a second on the average, until a moment."""
    draw = random.Random(seed)
    time = draw.expovariate(rate)
    while time < until:
        yield time, seconds(draw)
        time += draw.expovariate(rate)


def steady(
    fleet: Fleet, *, job_seconds: float, load: float, seed: int, jobs: int, requests: int
) -> Seen:
    """Return what a fleet sees whose slots are busy to such a share, over so many jobs or requests.

    How long a job takes is exponential, so that what is left of one that runs is so too.
    """

    def seconds(draw: random.Random) -> float:
        return draw.expovariate(1 / job_seconds)

    rate = fleet.hosts * fleet.slots * load / job_seconds
    warm = 2 * max(fleet.check_interval, min(fleet.hold, 50 / rate))
    until = warm + min(jobs / rate, requests / fleet.hosts * fleet.check_interval)
    draw = random.Random(seed)
    busy = [seconds(draw) for _ in range(round(fleet.hosts * fleet.slots * load))]
    coming = poisson(rate, seconds, seed=seed + 1, until=until)
    return simulate(fleet, coming, seed=seed + 2, until=until, warm=warm, busy=busy)

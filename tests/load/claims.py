"""Jobs that claim one thing at the same time: one wins each time, and a killed one holds nobody up.

`python -m tests.load.claims --times 200` has two processes claim so many things, each at the same
moment; and for every fourth of them, one process that is killed with SIGKILL within the time that a
claim takes, after which another one must get it.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from executor.budgets.claims import claim, of_volume
from executor.engine.docker import Engine
from executor.names import LABEL
from executor.notation.owner import parse_belonging
from executor.sweep.look import view_of
from executor.sweep.verdict import DEAD
from tests.rig import state
from tests.sweep.left import belonging, owner_of

_MINE = "-"
_LONGEST_CLAIM_SECONDS = 0.02
_ONE_IN = 4


@dataclass(slots=True)
class Tally:
    """What came of it."""

    claims: int = 0
    killed: int = 0
    dead_held: int = 0
    """How many of the killed had the thing already."""
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return it as a line."""
        return (
            f"{self.claims} things claimed by two at once, {self.killed} claimants killed"
            f" ({self.dead_held} of them had it): {len(self.wrong)} wrong"
        )


class Claimant:
    """A process that claims what it is told to, as a job of its own."""

    def __init__(self, host: str, key: str) -> None:
        self.key = key
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.claims", "--worker", key, "--engine", host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.heard()

    def claim(self, thing: str) -> None:
        """Have it claim a thing; it is at it when this returns."""
        assert self.process.stdin
        self.process.stdin.write(f"{thing}\n")

    def heard(self) -> str:
        """Return what it says: who has the thing, "-" where that is itself."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> str:
        """Kill it; return what it had said until then."""
        self.process.kill()
        said = self.process.communicate()[0]
        return str(said).strip()


@contextmanager
def claimants(host: str, *keys: str) -> Iterator[list[Claimant]]:
    """Run processes that claim."""
    found = [Claimant(host, each) for each in keys]
    try:
        yield found
    finally:
        for each in found:
            each.kill()


def run(host: str, times: int) -> Tally:
    """Have things claimed; remove all claims in the end."""
    tally = Tally()
    engine = Engine.at(host, "", tls_verify=False)
    engine.connect()
    unique = f"{os.getpid()}-{time.monotonic_ns()}"
    try:
        with claimants(host, f"1-{unique}", f"2-{unique}") as both:
            for number in range(times):
                _at_once(both, of_volume(f"{unique} {number}"), tally)
                if number % _ONE_IN == 0:
                    _killed(host, both[0], of_volume(f"{unique} killed {number}"), tally)
    finally:
        for each in engine.kept.volumes():
            if unique in str(_labels(each).get(LABEL)):
                engine.kept.remove_volume(str(each["Name"]))
    return tally


def _at_once(both: Sequence[Claimant], thing: str, tally: Tally) -> None:
    for each in both:
        each.claim(thing)
    said = {each.key: each.heard() for each in both}
    tally.claims += 1
    winners = [key for key, holder in said.items() if holder == _MINE]
    losers = [holder for holder in said.values() if holder != _MINE]
    if len(winners) != 1 or losers != winners:
        tally.wrong.append(f"{thing}: {said}")


def _killed(host: str, other: Claimant, thing: str, tally: Tally) -> None:
    victim = Claimant(host, f"3-{other.key[2:]}")
    victim.claim(thing)
    time.sleep(random.uniform(0, _LONGEST_CLAIM_SECONDS))
    tally.killed += 1
    tally.dead_held += victim.kill() == _MINE
    other.claim(thing)
    if (holder := other.heard()) != _MINE:
        tally.wrong.append(f"{thing}: held by {holder}, which is dead")


def _labels(listed: Mapping[str, object]) -> Mapping[str, object]:
    labels = listed.get("Labels")
    return labels if isinstance(labels, dict) else {}


def work(host: str, key: str) -> None:
    """Claim what stands on each line of stdin, and say who has it."""
    engine = Engine.at(host, "", tls_verify=False)
    engine.connect()
    labels = belonging(owner_of(os.getpid()), key).labels()
    is_over = _judge(engine)
    print(flush=True)
    for line in sys.stdin:
        print(claim(engine.kept, line.strip(), labels, is_over) or _MINE, flush=True)


def _judge(engine: Engine) -> Callable[[Mapping[str, object]], bool]:
    def is_over(labels: Mapping[str, object]) -> bool:
        said = parse_belonging(labels)
        return said is not None and view_of(engine).life_of(said.owner, said.container) in DEAD

    return is_over


def main() -> int:
    """Run the command; return 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--engine", metavar="HOST", help="default: the rig's")
    parser.add_argument("--worker", metavar="KEY", help=argparse.SUPPRESS)
    given = parser.parse_args()
    host = given.engine or state.load().engine_host
    if given.worker:
        work(host, given.worker)
        return 0
    tally = run(host, given.times)
    print(tally.told())
    for each in tally.wrong:
        print(each)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

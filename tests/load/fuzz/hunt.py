"""One target in this process, which a case may kill: what it tries lies in a file before it does."""

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky

from tests.load.fuzz import engine, files, jobs, sweep
from tests.load.fuzz.bounds import Fault, leave_terminal, run_bounded
from tests.load.fuzz.target import Json, Target, World

_ALL = (*jobs.TARGETS, *engine.TARGETS, *files.TARGETS, *sweep.TARGETS)
TARGETS = {each.name: each for each in _ALL}
CORPUS = Path(__file__).parents[2] / "data" / "fuzz"
_BATCH = 200
_QUIET = list(HealthCheck)


@dataclass(slots=True)
class Hunt:
    """A search for faults in a target."""

    target: Target
    world: World
    current: Path
    """Where the case is written that is being tried."""
    known: set[str]
    """The signatures of faults that were found before: they count no more."""
    tried: int = 0
    fault: tuple[Fault, Json] | None = None
    """The last one that counts."""
    found: list[tuple[Fault, Json]] = field(default_factory=list)

    def attempt(self, case: Json) -> None:
        """Try a case; raises Fault."""
        self.current.write_text(json.dumps(case), encoding="utf-8")
        self.tried += 1
        self.world.empty()
        try:
            run_bounded(lambda: self.target.call(case, self.world))
        except Fault as fault:
            if fault.signature not in self.known:
                self.fault = fault, case
                raise

    def replay(self) -> None:
        """Try the cases that were found once."""
        for path in corpus(self.target.name):
            try:
                self.attempt(json.loads(path.read_text(encoding="utf-8")))
            except Fault as fault:
                self._keep(fault, path.name)

    def draw(self, examples: int, number: int | None) -> None:
        """Try new cases; without a number the same ones each time."""

        @settings(
            max_examples=examples,
            derandomize=number is None,
            deadline=None,
            database=None,
            suppress_health_check=_QUIET,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(self.target.cases)
        def check(case: Json) -> None:
            self.attempt(case)

        try:
            (check if number is None else seed(number)(check))()
        except (Fault, Flaky):
            # What takes too long once may be just fast enough another time.
            assert self.fault
            self._keep(*self.fault)

    def _keep(self, fault: Fault, case: Json) -> None:
        self.known.add(fault.signature)
        self.found.append((fault, case))


def corpus(name: str) -> Iterator[Path]:
    """Yield the files of cases that were found once."""
    yield from sorted((CORPUS / name).glob("*.json"))


def hunt(
    names: list[str],
    current: Path,
    known: set[str],
    *,
    examples: int,
    seconds: float,
    number: int | None,
) -> bool:
    """Hunt in targets, and print what is found as lines of JSON; return whether that is anything.

    Without seconds there is one batch of so many examples; with them, batches until they are over.
    """
    terminals = leave_terminal()
    found = False
    with tempfile.TemporaryDirectory(prefix="dind-executor-fuzz-") as directory:
        for name in names:
            world = World(Path(directory, name), *terminals)
            world.directory.mkdir()
            this = Hunt(TARGETS[name], world, current, {*known})
            until = time.monotonic() + seconds
            this.replay()
            this.draw(examples or _BATCH, number)
            while time.monotonic() < until:
                number = None if number is None else number + 1
                this.draw(_BATCH, number)
            found = found or bool(this.found)
            for fault, case in this.found:
                said = {"signature": fault.signature, "text": str(fault), "case": case}
                print(json.dumps({"target": name, **said}))
            print(json.dumps({"target": name, "tried": this.tried}))
    return found

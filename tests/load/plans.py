"""`dind-executor plan`, compared with what prepare asks the engine for, in each job of the tests.

`python -m tests.load.plans` runs the files of tests/stages and tests/gitlab, each with all cases of its
families, and has each call of prepare noted, whoever makes it.  A call is planned again, and the test
fails where the plan differs.  Files that are in the tally already are left out, so a run that is ended
goes on where it was; `--minutes 8` begins no further file after that time.  At the end it prints how many
calls were compared, and how many could not be, by reason.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.planning import COMPARED, DIFFERENT, NOT_OURS
from tests.recording import RECORDER, laid_out, tally_of

REPOSITORY = Path(__file__).parents[2]
_FAMILIES = ("stages", "gitlab")
_NO_TESTS = 5
"""How pytest ends that finds nothing to run."""


def files() -> list[str]:
    """Return the files with tests that run jobs."""
    found = [path for each in _FAMILIES for path in (REPOSITORY / "tests" / each).glob("test_*.py")]
    return sorted(str(path.relative_to(REPOSITORY)) for path in found)


def run(file: str, options: Sequence[str]) -> list[dict[str, Any]]:
    """Run a file; return what became of each call, and how the file ended."""
    # Not in /tmp: some tests have a gitlab-runner with another one.
    with tempfile.TemporaryDirectory(prefix="plans-", dir=sys.prefix) as directory:
        place = laid_out(Path(directory))
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "--whole", *options, file],
            check=False,
            cwd=REPOSITORY,
            env={**os.environ, RECORDER: directory},
        )
        seconds = round(time.monotonic() - begun)
        tally = tally_of(place)
        lines = tally.read_text(encoding="utf-8").splitlines() if tally.exists() else []
        calls = [{"file": file, **json.loads(line)} for line in lines]
        passed = done.returncode in {0, _NO_TESTS}
        return [*calls, {"file": file, "seconds": seconds, "passed": passed}]


def read(tally: Path) -> list[dict[str, Any]]:
    """Return what is known of files that have passed: another run takes the others again."""
    lines = tally.read_text(encoding="utf-8").splitlines() if tally.exists() else []
    known = [json.loads(line) for line in lines]
    passed = {each["file"] for each in known if each.get("passed")}
    return [each for each in known if each["file"] in passed]


def write(tally: Path, known: Sequence[dict[str, Any]]) -> None:
    """Replace the tally."""
    tally.write_text("".join(f"{json.dumps(each)}\n" for each in known), encoding="utf-8")


def told(known: Sequence[dict[str, Any]], wanted: Sequence[str]) -> Iterator[str]:
    """Yield what came of it, a line each."""
    calls = [each for each in known if "how" in each]
    ended = {each["file"]: each for each in known if "passed" in each}
    for file in wanted:
        own = Counter(each["how"] for each in calls if each["file"] == file)
        state = "not run" if file not in ended else "" if ended[file]["passed"] else "failed"
        numbers = ", ".join(f"{number} {how}" for how, number in own.most_common())
        yield f"{file}: {'; '.join(filter(None, (state, numbers))) or 'no calls'}"
    yield ""
    ours = [each for each in calls if each["how"] not in NOT_OURS]
    compared = [each for each in ours if each["how"] in COMPARED]
    yield f"{len(ours)} calls of prepare, {len(compared)} compared:"
    reasons = Counter((each["how"], each["why"]) for each in ours if each["how"] != DIFFERENT)
    for (how, why), number in reasons.most_common():
        yield f"{number:6} {how}{f': {why}' if why else ''}"
    different = [each for each in ours if each["how"] == DIFFERENT]
    yield f"{len(different):6} {DIFFERENT}"
    for each in different:
        yield f"       {each['test']}: {each['why'][:400]!r}"


def main() -> int:
    """Compare; return how many files have not passed, or were not run."""
    parser = argparse.ArgumentParser(prog="tests.load.plans", description=__doc__)
    parser.add_argument("files", nargs="*", help="of tests/stages and tests/gitlab (default: all)")
    parser.add_argument("--tally", type=Path, default=Path("plans-tally.jsonl"))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true", help="run files that have passed, too")
    given, options = parser.parse_known_args()
    wanted = given.files or files()
    known = read(given.tally)
    if given.again:
        known = [each for each in known if each["file"] not in wanted]
    until = time.monotonic() + given.minutes * 60
    for file in wanted:
        done = {each["file"] for each in known}
        if file not in done and time.monotonic() < until:
            known += run(file, options)
            write(given.tally, known)
    for line in told(known, wanted):
        print(line)
    passed = {each["file"] for each in known if each.get("passed")}
    return len(set(wanted) - passed)


if __name__ == "__main__":
    sys.exit(main())

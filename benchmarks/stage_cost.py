"""What our own program costs a job, in two versions, each as `install` puts it on a host.

    python -m benchmarks.stage_cost [--before REVISION] [--rounds N] [--json FILE]

Both versions are installed into a temporary directory: no development packages, nothing editable.
They are measured in turn, so that the ratio of two medians holds where the machine's speed drifts.
The engine is a stub; no Docker is needed.  What is measured:

- run: a `run` call until its script arrives at the engine
- config: a whole `config` call
- prepare imports: a fresh interpreter that imports the modules of ours that a `prepare` call loads
- prepare processor: the processor time of a whole `prepare` call of an ordinary job
- planning: one plan of an ordinary job, its variables expanded and its secrets known
- lines: the lines of code of ours that `run` has loaded when the script leaves
"""

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tokenize
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ordinary_job
from benchmarks.run_call import RunCall

REPOSITORY = Path(__file__).resolve().parents[1]
MEASURES = ("bare", "run", "config", "prepare imports", "prepare processor", "planning")
_PLANS = 20
_WARM_UP = 2


class Version:
    """One version, installed."""

    def __init__(self, name: str, source: Path, directory: Path) -> None:
        """Install `source` into `directory`."""
        self.name = name
        self.directory = directory
        directory.mkdir()
        environment = {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}
        subprocess.run(
            [sys.executable, "-m", "executor", "install", "--prefix", directory / "prefix"],
            cwd=source,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # An older version has one directory for all versions.
        places = (directory / "prefix" / each / "bin" / "python" for each in ("current", "venv"))
        self.python = next(each for each in places if each.exists())
        self.hooks = directory / "prefix" / "hooks"
        self.job = ordinary_job.write(directory)
        said = self.call("config")
        self.job.environment.update(json.loads(said)["job_env"])
        self.run = RunCall(self.hooks / "run", self.job)
        self.modules = self._modules_of_prepare()

    def call(self, stage: str) -> bytes:
        """Call a stage as gitlab-runner does; return what it prints."""
        return subprocess.run(
            [self.hooks / stage, *self.job.arguments],
            env=self.job.environment,
            stdin=subprocess.DEVNULL,
            check=True,
            capture_output=True,
        ).stdout

    def seconds(self, measure: str) -> float:
        """Measure one thing once."""
        measures: Mapping[str, Callable[[], float]] = {
            "bare": lambda: _wall(self._python("pass")),
            "run": self.run.seconds,
            "config": lambda: _timed(lambda: self.call("config")),
            "prepare imports": lambda: _wall(self._python(f"import {', '.join(self.modules)}")),
            "prepare processor": self._prepare,
            "planning": self._planning,
        }
        return measures[measure]()

    def lines(self) -> int:
        """Return the lines of code of ours that are loaded when `run` sends the script."""
        return sum(map(lines_of_code, self.run.loaded(self.python)))

    def _python(self, program: str) -> list[str]:
        return [str(self.python), "-I", "-c", program]

    def _prepare(self) -> float:
        with ordinary_job.engine(self.job):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.call("prepare")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)

    def _planning(self) -> float:
        """Return the time of one plan, as a process measures it that makes many."""
        program = ordinary_job.PLANNING.format(plans=_PLANS, args=self.job.arguments)
        done = subprocess.run(
            self._python(program),
            env=self.job.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return float(done.stdout)

    def _modules_of_prepare(self) -> list[str]:
        """Return the modules of ours that a `prepare` call has loaded at its end."""
        seen = self.directory / "modules"
        with ordinary_job.engine(self.job):
            subprocess.run(
                self._python(ordinary_job.AT_END.format(seen=str(seen), args=self.job.arguments)),
                env=self.job.environment,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return [name for name in seen.read_text().split() if name.startswith("executor.")]


def lines_of_code(path: Path) -> int:
    """Return how many lines of a file are code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NEWLINE:
            if any(each.type != tokenize.STRING for each in statement):
                for each in statement:
                    lines.update(range(each.start[0], each.end[0] + 1))
            statement = []
        elif token.type not in skipped:
            statement.append(token)
    return len(lines)


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _wall(command: list[str]) -> float:
    return _timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


@contextmanager
def _sources(revision: str, directory: Path) -> Iterator[Path]:
    """Check a revision out."""
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", directory, revision], check=True)
    try:
        yield directory
    finally:
        subprocess.run([*git, "remove", "--force", directory], check=True)


@contextmanager
def installed(before: str | None, directory: Path) -> Iterator[tuple[Version, ...]]:
    """Install this version, and before it another one if a revision is given."""
    versions: tuple[Version, ...] = ()
    if before:
        with _sources(before, directory / "sources") as sources:
            versions = (Version("before", sources, directory / "before"),)
    yield (*versions, Version("after", REPOSITORY, directory / "after"))


def compare(versions: tuple[Version, ...], rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians in seconds of each measure of each version, taken in turn."""
    taken: dict[str, dict[str, list[float]]] = {
        measure: {version.name: [] for version in versions} for measure in MEASURES
    }
    for number in range(rounds + _WARM_UP):
        for measure in MEASURES:
            for version in versions:
                seconds = version.seconds(measure)
                if number >= _WARM_UP:
                    taken[measure][version.name].append(seconds)
    return {
        measure: {name: statistics.median(each) for name, each in of_versions.items()}
        for measure, of_versions in taken.items()
    }


def table(
    versions: tuple[Version, ...], medians: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    """Return the lines that tell of the medians, and of the lines of code."""
    for measure, found in medians.items():
        told = "  ".join(f"{name} {seconds * 1000:7.2f} ms" for name, seconds in found.items())
        yield f"{measure:18} {told}{_ratio(found)}"
    counted = "  ".join(f"{version.name} {version.lines():7}   " for version in versions)
    yield f"{'lines':18} {counted}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--before", help="a revision to compare with")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="stage-cost-") as name,
        installed(options.before, Path(name)) as versions,
    ):
        medians = compare(versions, options.rounds)
        lines = {version.name: version.lines() for version in versions}
        print(*table(versions, medians), sep="\n")
    results = {"rounds": options.rounds, "medians": medians, "lines": lines}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _ratio(found: Mapping[str, float]) -> str:
    return f"  ratio {found['after'] / found['before']:.2f}" if "before" in found else ""


if __name__ == "__main__":
    main()

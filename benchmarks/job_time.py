"""What a job costs beside its own script: dind-executor and gitlab-runner's own Docker executor.

    python benchmarks/job_time.py [--rounds N] [--json FILE] [--before REVISION]

Needs the rig of the tests (`python -m tests.rig up`). With a gitlab-runner on PATH, all runners
work at the same time and get the same jobs in turn; the time is from the moment that GitLab hands
a job out to the moment that it hears of its end. Without one, our hooks are called by the embedded
runner, and compared with bare engine calls made by hand.

With --before, two versions of dind-executor are compared instead, each as `install` puts it on a
host, through a real gitlab-runner (`benchmarks/versions.py`).
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# So that the command in the first lines works as it stands there.
sys.path.insert(0, str(REPOSITORY))

from benchmarks import by_hand, by_runner, versions  # noqa: E402
from benchmarks.jobs import JOBS  # noqa: E402
from tests.gitlab import runner  # noqa: E402
from tests.rig import state  # noqa: E402

Measure = Callable[[], float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--by-hand", action="store_true", help="as if there were no gitlab-runner")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")
    parser.add_argument("--before", help="a revision to compare this version with")
    options = parser.parse_args()
    rig = state.load()
    if options.before:
        _write(options.json, versions.compare(rig, options.before, options.rounds))
        return
    has_runner = runner.is_there() and not options.by_hand
    place = by_runner if has_runner else by_hand
    results = {}
    for job in JOBS:
        with (
            tempfile.TemporaryDirectory(prefix="job-time-") as directory,
            place.measures(rig, job, Path(directory)) as measures,
        ):
            results[job.name] = measured(measures, options.rounds)
        print(table(job.name, results[job.name]))
    described = {
        "engine": rig.engine_version,
        "images": rig.images,
        "caller": f"gitlab-runner {runner.version()}" if has_runner else "embedded runner",
        "rounds": options.rounds,
        "jobs": results,
    }
    print(json.dumps(described))
    _write(options.json, described)


def _write(path: Path | None, results: Mapping[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def measured(measures: Mapping[str, Measure], rounds: int) -> dict[str, dict[str, float]]:
    """Call all measures in turn and return their figures; the first is what others relate to."""
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            # The first round pulls images and makes volumes that stay.
            if number:
                seconds[name].append(value)
    (unit, *_) = seconds.values()
    return {
        name: {
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "ratio": statistics.median(values) / statistics.median(unit),
        }
        for name, values in seconds.items()
    }


def table(title: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures of one job as text."""
    width = max(len(name) for name in figures)
    lines = [f"\n{title}", f"  {'':{width}}  median     min     max   ratio"]
    for name, values in figures.items():
        seconds = "".join(f"{values[key]:7.2f}s" for key in ("median", "min", "max"))
        lines.append(f"  {name:{width}} {seconds}  {values['ratio']:6.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

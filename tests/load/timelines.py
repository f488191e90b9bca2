"""What jobs take, beside what the engine says: records, summaries and timelines of real jobs.

`python -m tests.load.timelines [--jobs 10]` runs jobs of several kinds through the hooks on the rig:
with builds, with services, without a sidecar, with a script that fails, one at a time.  It fails where
a figure is not that of the engine's events or log, or where a moment of a job has no bar.  It prints
what lies between the things that records name, in stretches of more than 50 ms: this program's own.
"""

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

from executor.record.timeline import CALL, GAP_SECONDS, OWN, RUNNER, Bar, timeline
from tests.rig import state
from tests.stages import recorded
from tests.stages.conftest import Changes, Jobs
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

_BUILD = (
    "printf 'FROM alpine\\nRUN head -c 3000000 /dev/urandom >/noise\\n' >Dockerfile",
    "docker build -q .",
)
_NO_DIND: Changes = {"dind": {"mode": "service"}}
_SERVICE = {"name": "busybox", "alias": "other", "command": ["sleep", "600"]}

KINDS: tuple[tuple[str, JobRequest, Changes, tuple[str, ...]], ...] = (
    ("builds", JobRequest(image="docker:26.1-cli"), {}, _BUILD),
    ("echoes", JobRequest(), {}, ("echo hello",)),
    ("fails", JobRequest(), {}, ("exit 3",)),
    ("no sidecar", JobRequest(), _NO_DIND, ("sleep 0.2",)),
    ("a service", JobRequest(services=[_SERVICE]), {}, ("sleep 0.2",)),
)


def holes(bars: list[Bar], begin: float, end: float) -> list[tuple[float, float]]:
    """Return what no bar covers between two moments, and is longer than any gap may be."""
    found = []
    for bar in sorted([*bars, Bar(end, end, CALL)]):
        if bar.begin - begin > GAP_SECONDS:
            found.append((begin, bar.begin))
        begin = max(begin, bar.end)
    return found


def try_job(jobs: Jobs, witness: Witness, directory: Path, number: int) -> str:
    """Run a job and compare; return a line that tells of it.  Raises AssertionError."""
    kind, request, changes, script = KINDS[number % len(KINDS)]
    request = JobRequest(image=request.image, services=request.services)
    state_dir = directory / f"state-{number}"
    state_dir.mkdir()
    since = int(time.time())
    job = jobs.start(request, {**changes, "sweep": {"state_dir": str(state_dir)}})
    job.up()
    job.script(*script)
    lines = recorded.last_lines(job)
    served = [line for line in lines if line.startswith("Its Docker daemon answered ")]
    if served:  # else it has not answered yet, and nobody has waited for it
        answered = recorded.answered_seconds(witness, job)
        assert served == [f"Its Docker daemon answered {answered:.1f} s after its start."]
    job.cleanup().passed()

    found = recorded.records(state_dir)
    prepare = found[1]
    recorded.assert_in_order(found)
    recorded.assert_engine_agrees(prepare, recorded.engine_events(witness, job, since))
    recorded.assert_pulls_agree(lines, recorded.did(prepare, "pull"))
    drawn = timeline(found)
    outer = [bar for row in drawn.rows for bar in row.bars if bar.kind in (CALL, RUNNER)]
    assert holes(outer, 0.0, drawn.seconds) == []
    own = [bar for row in drawn.rows for bar in row.bars if bar.kind == OWN]
    (summary,) = recorded.did(found[-2], "summary")
    told = ", ".join(f"{(each.end - each.begin) * 1000:.0f} ms" for each in own) or "none"
    return (
        f"{kind:10}  {drawn.seconds:5.2f} s  summary {(summary['to'] - summary['from']) * 1000:3.0f} ms"
        f"  own stretches: {told}"
    )


def main() -> None:
    """Run the jobs; the exit code is 1 where one is told wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=10)
    options = parser.parse_args()
    rig = state.load()
    witness = Witness(rig.engine_host)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="timelines-") as name:
        jobs = Jobs(rig, witness, Path(name))
        try:
            for number in itertools.islice(itertools.count(), options.jobs):
                try:
                    print(try_job(jobs, witness, Path(name), number), flush=True)
                except AssertionError as error:
                    wrong += 1
                    print(f"{KINDS[number % len(KINDS)][0]}: {error}", flush=True)
        finally:
            jobs.end()
    witness.close()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

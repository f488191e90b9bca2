"""What jobs take, beside what the engine says: records, summaries and timelines of real jobs.

`python -m tests.load.timelines [--jobs 10]` runs jobs of several kinds through the hooks on the rig, one
at a time: with builds, with services, without a sidecar, with a script that fails, with an image that the
engine lacks, with layers of an earlier job.  Each figure has a witness: pulls the engine's events and the
registry, containers the engine's events, the sidecar the engine's log of it and its own daemon.  The
command fails where a figure is not theirs, or where a moment of a job has no bar.  It prints what lies
between the things that records name, in stretches of more than 50 ms: this program's own.
"""

import argparse
import contextlib
import itertools
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import docker

from executor.notation.moments import moment
from executor.notation.sizes import size_text
from executor.record.timeline import CALL, GAP_SECONDS, OWN, RUNNER, Bar, timeline
from tests.rig import state
from tests.rig.state import Rig
from tests.stages import recorded
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Jobs
from tests.stages.registry import Images, layer_sizes
from tests.stages.request import JobRequest, new_job_id
from tests.stages.witness import Witness

_FRESH = "fresh"
_CLIENT = "docker:26.1-cli"
_BUILD = (
    "printf 'FROM alpine\\nRUN head -c 3000000 /dev/urandom >/noise\\n' >Dockerfile",
    "docker build -q .",
)
_NO_DIND: Changes = {"dind": {"mode": "service"}}
_KEPT: Changes = {"dind": {"keep_layers": True}}
_SERVICE = {"name": "busybox", "alias": "other", "command": ["sleep", "600"]}


class Kind(NamedTuple):
    """A kind of jobs."""

    name: str
    request: JobRequest
    changes: Changes
    script: tuple[str, ...]
    lines: tuple[str, ...]
    """What its summary must say, beside its pulls."""


_DIND = ("The dind sidecar started in", "It used up to")
_PROJECT = new_job_id()
"""Of the jobs that find layers; the others' is that of all tests."""

KINDS = (
    Kind("builds", JobRequest(_CLIENT), {}, _BUILD, (*_DIND, "Build cache: ")),
    Kind("echoes", JobRequest(), {}, ("echo hello",), _DIND),
    Kind("fails", JobRequest(), {}, ("exit 3",), _DIND),
    Kind("no sidecar", JobRequest(), _NO_DIND, ("sleep 0.2",), ()),
    Kind("a service", JobRequest(services=[_SERVICE]), {}, ("sleep 0.2",), _DIND),
    Kind("pulls", JobRequest(_FRESH), _NO_DIND, ("true",), ()),
    Kind(
        "keeps", JobRequest(_CLIENT, project_id=_PROJECT), _KEPT, _BUILD, (*_DIND, "Build cache: ")
    ),
    Kind(
        "finds", JobRequest(_CLIENT, project_id=_PROJECT), _KEPT, _BUILD, (*_DIND, "Build cache: ")
    ),
)


def holes(bars: list[Bar], begin: float, end: float) -> list[tuple[float, float]]:
    """Return what no bar covers between two moments, and is longer than any gap may be."""
    found = []
    for bar in sorted([*bars, Bar(end, end, CALL)]):
        if bar.begin - begin > GAP_SECONDS:
            found.append((begin, bar.begin))
        begin = max(begin, bar.end)
    return found


def assert_pulled(
    rig: Rig, events: Sequence[recorded.Thing], prepare: recorded.Thing, fresh: str
) -> None:
    """Assert that each pull ended when the engine says so, with the registry's bytes if it was new."""
    theirs = [
        (str(each["Actor"]["ID"]), each["timeNano"] / 1e9)
        for each in events
        if (each["Type"], each["Action"]) == ("image", "pull")
    ]
    for pull in recorded.did(prepare, "pull"):
        begin, end = (prepare["at"] + pull[each] for each in ("from", "to"))
        assert any(
            name.endswith(pull["image"]) and begin - 0.002 <= at <= end + 0.002
            for name, at in theirs
        ), (pull, theirs)
        is_new = fresh.endswith(pull["image"])  # but for its base
        came = layer_sizes(rig, fresh)[-1] if is_new else 0
        assert pull["bytes"] == came, (pull, came)


def built(witness: Witness, job: JobCalls) -> list[str]:
    """Return the line about the build cache as the sidecar's own daemon has it."""
    state = witness.container(job.id, "dind").attrs["State"]
    since = moment(state["StartedAt"]) or 0.0
    socket = f"unix:///proc/{state['Pid']}/root/run/docker.sock"
    with contextlib.closing(docker.APIClient(socket, version="1.44")) as daemon:
        records = daemon.df()["BuildCache"] or []
    made = [each for each in records if (moment(each["CreatedAt"]) or 0.0) >= since]
    used = [
        each
        for each in records
        if each not in made and (moment(each["LastUsedAt"] or "") or 0.0) >= since
    ]
    said = [f"{_counted(used)} of earlier jobs used"] if used else []
    said += [f"{_counted(made)} made ({size_text(sum(it['Size'] for it in made))})"] if made else []
    return [f"Build cache: {', '.join(said)}."] if said else []


def _counted(records: Sequence[object]) -> str:
    return f"{len(records)} record{'' if len(records) == 1 else 's'}"


def peak(witness: Witness, job: JobCalls) -> int | None:
    """Return the most memory that the sidecar had so far, as the engine says; None if it does not."""
    stats = witness.container(job.id, "dind").stats(stream=False)
    assert isinstance(stats, dict)
    found = stats["memory_stats"].get("max_usage")
    return found if isinstance(found, int) else None


def assert_memory(line: str, before: int | None, after: int | None) -> None:
    """Assert that the line lies between what the engine said before it and after it."""
    told = re.fullmatch(r"It used up to ([\d.]+) ([MG])iB of memory, cached files included\.", line)
    assert told, line
    said = float(told[1]) * (1 << (20 if told[2] == "M" else 30))
    if before is not None and after is not None:
        assert before * 0.99 <= said <= after * 1.01, (before, line, after)


@dataclass(frozen=True, slots=True)
class Trial:
    """What all jobs are run with."""

    rig: Rig
    witness: Witness
    images: Images
    jobs: Jobs
    directory: Path

    def fresh(self, number: int) -> str:
        """Return the name of an image that the engine does not have."""
        name = self.rig.special(f"tests/timelines-{new_job_id()}:{number}")
        image = self.images.changed("alpine", "head -c 3000000 /dev/urandom >/noise")
        self.images.publish(image, name)
        self.images.forget(str(image.id))
        self.images.expect(name)
        return name

    def run(self, number: int) -> str:
        """Run a job and compare; return a line that tells of it.  Raises AssertionError."""
        kind = KINDS[number % len(KINDS)]
        fresh = self.fresh(number) if kind.request.image == _FRESH else ""
        request = replace(kind.request, id=new_job_id(), image=fresh or kind.request.image)
        state_dir = self.directory / f"state-{number}"
        state_dir.mkdir()
        job = self.jobs.start(request, {**kind.changes, "sweep": {"state_dir": str(state_dir)}})
        with recorded.engine_events(self.witness) as events:
            job.up()
        job.script(*kind.script)
        cache = built(self.witness, job) if "Build cache: " in kind.lines else []
        before = peak(self.witness, job) if kind.lines else None
        lines = recorded.last_lines(job)
        for each in kind.lines:
            assert any(line.startswith(each) for line in lines), (each, lines)
        for line in lines:
            if line.startswith("Its Docker daemon answered "):  # else nobody has waited for it
                answered = recorded.answered_seconds(self.witness, job)
                assert line == f"Its Docker daemon answered {answered:.1f} s after its start."
            if line.startswith("It used up to "):
                assert_memory(line, before, peak(self.witness, job))
        assert [line for line in lines if line.startswith("Build cache: ")] == cache
        job.cleanup().passed()

        found = recorded.records(state_dir)
        prepare = found[1]
        recorded.assert_in_order(found)
        recorded.assert_engine_agrees(prepare, events)
        recorded.assert_pulls_agree(lines, recorded.did(prepare, "pull"))
        recorded.assert_start_agrees(lines, recorded.did(prepare, "start"))
        assert_pulled(self.rig, events, prepare, fresh)
        return f"{kind.name:10}  {_drawn(found)}"


def _drawn(found: list[dict[str, object]]) -> str:
    """Assert that no moment of a job is without a bar; return what is told of its timeline."""
    drawn = timeline(found)
    outer = [bar for row in drawn.rows for bar in row.bars if bar.kind in (CALL, RUNNER)]
    assert holes(outer, 0.0, drawn.seconds) == []
    (summary,) = recorded.did(found[-2], "summary")
    own, call = [], ""
    for row in drawn.rows:
        call = call if row.is_inner else row.label
        own += [f"{call} {(it.end - it.begin) * 1000:.0f} ms" for it in row.bars if it.kind == OWN]
    told = ", ".join(own) or "none"
    milliseconds = (summary["to"] - summary["from"]) * 1000
    return f"{drawn.seconds:5.2f} s  summary {milliseconds:3.0f} ms  own stretches: {told}"


def main() -> None:
    """Run the jobs; the exit code is 1 where one is told wrongly."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=10)
    options = parser.parse_args()
    rig = state.load()
    witness = Witness(rig.engine_host)
    wrong = 0
    images = Images(witness)
    with tempfile.TemporaryDirectory(prefix="timelines-") as name:
        jobs = Jobs(rig, witness, Path(name))
        trial = Trial(rig, witness, images, jobs, Path(name))
        try:
            for number in itertools.islice(itertools.count(), options.jobs):
                try:
                    print(trial.run(number), flush=True)
                except AssertionError as error:
                    wrong += 1
                    line = traceback.extract_tb(error.__traceback__)[-1].line
                    print(f"{KINDS[number % len(KINDS)].name}: {line}: {error}", flush=True)
        finally:
            jobs.end()
            images.remove_all()
    witness.close()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

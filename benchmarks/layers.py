"""Builds and boots with kept layers, through the hooks alone: `python -m benchmarks.layers [--rounds N]`.

`--boots N` measures only boots instead, N on an empty store and N on a full one in turn.

For each generation of dind, a Dockerfile with a base image of 590 MB and two heavy RUNs is built in a job
that finds nothing (cold), unchanged in the next job, unchanged once more in that job, and in a job in which
the last COPY has changed.  The boot is the time from the sidecar's start until it listens, on an empty
store and on the full one.  `python -m benchmarks` measures the same builds through gitlab-runner.
"""

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.builds import base, ensure_base
from tests.generations import GENERATIONS, OLD
from tests.rig import state
from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Jobs
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

COLD, NEXT, AGAIN, CHANGED = "cold", "next job", "again in that job", "last COPY changed"
EMPTY, FULL = "boot, empty store", "boot, full store"
_CHANGES: Changes = {"dind": {"keep_layers": True}}
_FIRST_PROJECT, _EMPTY = 9_400, 50
_BUILT, _LISTENS = "built in ", "API listen on /var/run/docker.sock"
_DOCKERFILE = (
    "FROM {base}\\nRUN sha256sum /base >/sum\\nRUN head -c 150000000 /base | gzip >/packed\\n"
    "COPY line /line\\n"
)


class Bench:
    """The jobs of one call."""

    def __init__(self, rig: Rig, directory: Path) -> None:
        """Take a directory for their files."""
        self.there = Witness(rig.engine_host)
        self._jobs = Jobs(rig, self.there, directory)
        self._dockerfile = _DOCKERFILE.format(base=base(rig))

    def round(self, image: str, buildkit: str, project: int) -> Mapping[str, float]:
        """Return the seconds of each build and boot of one project."""
        cold = self._up(image, project)
        found = {EMPTY: self._boot(cold), COLD: self._build(cold, buildkit, "the same")}
        cold.cleanup().passed()
        following = self._up(image, project)
        found[FULL] = self._boot(following)
        found[NEXT] = self._build(following, buildkit, "the same")
        found[AGAIN] = self._build(following, buildkit, "the same")
        following.cleanup().passed()
        changed = self._up(image, project)
        found[CHANGED] = self._build(changed, buildkit, uuid.uuid4().hex)
        changed.cleanup().passed()
        self._empty(project)
        return found

    def boots(self, image: str, project: int, count: int) -> Mapping[str, list[float]]:
        """Return the seconds of boots on an empty store and on a full one."""
        filling = self._up(image, project)
        self._build(filling, "1", "the same")
        filling.script(
            "docker pull -q debian:bookworm", "docker run -d debian:bookworm true"
        ).passed()
        filling.cleanup().passed()
        found: dict[str, list[float]] = {EMPTY: [], FULL: []}
        for number in range(2 * count):
            case, whose = ((EMPTY, project + _EMPTY), (FULL, project))[number % 2]
            job = self._up(image, whose)
            found[case].append(self._boot(job))
            if case == FULL:  # as a job has it that did what the one before did
                job.script(
                    "docker pull -q debian:bookworm", "docker run debian:bookworm true"
                ).passed()
            job.cleanup().passed()
            if case == EMPTY:
                self._empty(whose)
        self._empty(project)
        return found

    def end(self) -> None:
        """Assert that nothing of any job is left."""
        self._jobs.end()
        self.there.close()

    def _empty(self, project: int) -> None:
        for each in self.there.lasting_volumes(project):
            self.there.remove_volume(each)

    def _up(self, image: str, project: int) -> JobCalls:
        services = [{"name": image}]
        request = JobRequest("docker:26.1-cli", services=services, project_id=project)
        job = self._jobs.start(request, _CHANGES)
        job.up()
        return job

    def _build(self, job: JobCalls, buildkit: str, line: str) -> float:
        call = job.script(
            f"export DOCKER_BUILDKIT={buildkit}; mkdir -p /tmp/context; cd /tmp/context",
            f"printf '{self._dockerfile}' >Dockerfile; echo '{line}' >line",
            "read from idle </proc/uptime",
            "docker build -t built . >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }",
            f'read to idle </proc/uptime; echo "{_BUILT}$from $to"',
        ).passed()
        said = next(each for each in call.stdout.splitlines() if each.startswith(_BUILT))
        begun, ended = map(float, said.removeprefix(_BUILT).split())
        return ended - begun

    def _boot(self, job: JobCalls) -> float:
        container = self.there.container(job.id, "dind")
        started = _moment(container.attrs["State"]["StartedAt"])
        log = container.logs(timestamps=True).decode(errors="replace").splitlines()
        line = next(each for each in log if _LISTENS in each)
        return _moment(line.partition(" ")[0]) - started


def _told(seconds: Mapping[str, list[float]]) -> str:
    """Return medians, and the fastest boots: these had the host most to themselves."""
    said = []
    for how, of in (("median", statistics.median), ("fastest", min)):
        empty, full = (of(seconds[each]) for each in (EMPTY, FULL))
        said.append(f"{how} {empty:.3f} s empty, {full:.3f} s full: {full - empty:+.3f} s")
    return "; ".join(said)


def _moment(text: str) -> float:
    whole, _, part = text.rstrip("Z").partition(".")
    return dt.datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{part or 0}")


def main(args: Sequence[str] | None = None) -> int:
    """Print the medians of each generation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--image", action="append", help="a dind image; may be repeated")
    parser.add_argument("--boots", type=int, default=0, metavar="N")
    given = parser.parse_args(args)
    rig = state.load()
    ensure_base(rig)
    images = given.image or GENERATIONS
    cases = [(each, "1") for each in images]
    cases += [(each, "0") for each in images if each == OLD and not given.boots]
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="layers") as text:
        bench = Bench(rig, Path(text))
        try:
            for number, (image, buildkit) in enumerate(cases):
                project = _FIRST_PROJECT + number
                if given.boots:
                    seconds = bench.boots(image, project, given.boots)
                    print(image, _told(seconds), flush=True)
                    continue
                rounds = [bench.round(image, buildkit, project) for _ in range(given.rounds)]
                name = f"{image}{'' if buildkit == '1' else ', classic builder'}"
                found[name] = {
                    each: round(statistics.median(one[each] for one in rounds), 3)
                    for each in rounds[0]
                }
                print(name, json.dumps(found[name]), flush=True)
        finally:
            bench.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())

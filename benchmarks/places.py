"""Places where jobs run through a real gitlab-runner: each has a GitLab and a runner of its own."""

import contextlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker

from benchmarks.jobs import Generation, script_seconds
from benchmarks.results import Figures
from executor.local.pipeline.model import Pipeline
from executor.notation.claims import KEPT_NETWORK_LABEL
from tests import toml
from tests.gitlab import leftovers, runner, server, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables, succeeded
from tests.gitlab.runner import Runner, Table
from tests.rig.state import Rig

_DOCKER_EXECUTOR = Path(__file__).with_name("docker-executor.toml")
_LONGEST_SECONDS = 1800
_TICKS = os.sysconf("SC_CLK_TCK")


class JobFailed(Exception):
    """A measured job did not succeed; the text is its log's end."""


@dataclass(frozen=True, slots=True)
class Place:
    """A GitLab and a runner, that have jobs of one kind at a time."""

    runner: Runner
    pushed: Pushed
    log: Path | None = None
    """The administrator's log of dind-executor, where that is who works."""

    def run(self, pipeline: Pipeline, count: int = 1) -> Figures:
        """Run a pipeline's only job, or so many of them at once; raise JobFailed.

        `wall` lasts from the moment that GitLab hands the first one out to the moment that it hears
        of the last one's end, `script` is what a lone job says of itself. `runner` is the processor
        time of gitlab-runner and of all that it starts, `host` that of the whole machine. By its
        name, what each stage took is there, where it is known of a lone job.
        """
        facts = self.pushed.facts(pipeline)
        (definition,) = self.pushed.jobs_of(pipeline, facts).values()
        noted = self.log.stat().st_size if self.log and self.log.exists() else 0
        before = runner_seconds(self.runner.process.pid), host_seconds()
        jobs = [self.pushed.start(definition, facts) for _ in range(count)]
        for job in jobs:
            job.wait(_LONGEST_SECONDS)
        for job in jobs:
            self.runner.wait_until_left(job.id)
        after = runner_seconds(self.runner.process.pid), host_seconds()
        if not succeeded(jobs):
            raise JobFailed(_log(next(job for job in jobs if job.state != "success"))[-3000:])
        begun, ended = min(job.handed_out_at for job in jobs), max(job.finished_at for job in jobs)
        return {
            "wall": ended - begun,
            "script": script_seconds(_log(jobs[0])) if count == 1 else 0.0,
            "runner": after[0] - before[0],
            "host": after[1] - before[1],
            **(stage_seconds(self.log, noted) if self.log and count == 1 else {}),
        }


def stage_seconds(log: Path, offset: int) -> Figures:
    """Return what each stage took in all, by the part of an administrator's log from an offset."""
    with log.open("rb") as file:
        file.seek(offset)
        lines = [json.loads(line) for line in file]
    found: dict[str, float] = {}
    for line in lines:
        if line["event"] == "stage ended":
            found[line["stage"]] = found.get(line["stage"], 0.0) + line["seconds"]
    return found


def _log(job: Job) -> str:
    return trace.plain(job.trace)


def runner_seconds(pid: int) -> float:
    """Return the processor time of a process, and of those that it has started and seen end."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def host_seconds() -> float:
    """Return the processor time of everything on this machine."""
    with Path("/proc/stat").open(encoding="utf-8") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / _TICKS


@contextlib.contextmanager
def working(
    rig: Rig, table: Table, directory: Path, concurrent: int = 1, log: Path | None = None
) -> Iterator[Place]:
    """Have a runner work until the end of the block, and remove what it keeps for later jobs."""
    with contextlib.ExitStack() as stack:
        gitlab = stack.enter_context(server.serving(directory / "repositories", rig.address))
        stack.callback(_remove_lasting, rig, gitlab.runner_token)
        started = stack.enter_context(
            runner.working(gitlab, table, directory / "runner", concurrent=concurrent)
        )
        checkout = sources.commit(rig.project, directory / "project")
        pushed = Pushed(gitlab, checkout, project_variables(rig.variables()))
        yield Place(started, pushed, log)


def docker_executor(rig: Rig, generation: Generation) -> Table:
    """Return the Docker executor as GitLab's page has it, on this rig."""
    (table,) = tomllib.loads(_DOCKER_EXECUTOR.read_text(encoding="utf-8"))["runners"]
    options = table["docker"]
    options |= {
        "host": rig.engine_host,
        "image": generation.client,
        "helper_image": rig.helper_image,
        # dind trusts the rig's registries as the host does.
        "volumes": [*options["volumes"], "/etc/docker/certs.d:/etc/docker/certs.d:ro"],
    }
    if rig.runtime is not None:
        options["runtime"] = rig.runtime
    return dict(table)


def write_settings(
    rig: Rig,
    generation: Generation,
    directory: Path,
    *,
    mode: str,
    dind: Mapping[str, object] | None = None,
    docker: Mapping[str, object] | None = None,
) -> Path:
    """Write the rig's settings with one image of dind, a mode, and more keys of two tables."""
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    tables["docker"] |= {"image": generation.client, **(docker or {})}
    tables["dind"] |= {"image": generation.dind, "mode": mode, **(dind or {})}
    settings = directory / f"{mode}.toml"
    tables["log"] |= {"destination": "file", "path": str(log_of(settings))}
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    return settings


def log_of(settings: Path) -> Path:
    """Return where the administrator's log of such settings is."""
    return settings.with_suffix(".jsonl")


def _remove_lasting(rig: Rig, token: str) -> None:
    """Remove what either executor keeps for the project's next job, and the slot's."""
    leftovers.remove_lasting(rig.engine_host, token)
    short = token.removeprefix("glrt-")[:9].lower()
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    with contextlib.closing(client):
        for volume in client.volumes()["Volumes"] or ():
            if short in volume["Name"]:
                client.remove_volume(volume["Name"])
        for network in client.networks(filters={"label": KEPT_NETWORK_LABEL}):
            if short in network["Name"]:
                client.remove_network(network["Id"])

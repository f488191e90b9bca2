"""Real gitlab-runners at work for a GitLab that counts, with images of a registry that counts."""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import places
from benchmarks.scale.counting import CountingGitLab, CountingRegistry, counting_gitlab
from executor.local.pipeline.file import parse_pipeline
from tests import toml
from tests.gitlab import leftovers, runner, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables, succeeded
from tests.gitlab.runner import Runner, Table
from tests.rig.state import Rig

CHECK_INTERVAL = 3
"""Seconds; gitlab-runner's default, and that of config.toml.example."""


@dataclass(frozen=True, slots=True)
class Place:
    """A GitLab that counts, and the runners of one token that work for it."""

    gitlab: CountingGitLab
    runners: tuple[Runner, ...]
    pushed: Pushed
    directory: Path

    def start(self, text: str) -> Job:
        """Put the only job of a pipeline into the queue."""
        pipeline = parse_pipeline(text, "job")
        facts = self.pushed.facts(pipeline)
        (definition,) = self.pushed.jobs_of(pipeline, facts).values()
        return self.pushed.start(definition, facts)

    def finish(self, jobs: Sequence[Job]) -> None:
        """Return when jobs are over and their runners have left them; raise where one failed."""
        for job in jobs:
            job.wait(600)
        if not succeeded(jobs):
            failed = next(job for job in jobs if job.state != "success")
            raise places.JobFailed(trace.plain(failed.trace)[-3000:])
        for each in self.runners if len(self.runners) == 1 else ():
            for job in jobs:
                each.wait_until_left(job.id)


@contextlib.contextmanager
def working(
    rig: Rig,
    table: Table,
    directory: Path,
    *,
    hosts: int = 1,
    concurrent: int = 1,
    poll_seconds: float = 0.0,
    trace_seconds: int = 3,
) -> Iterator[Place]:
    """Have so many gitlab-runners with one token work until the end of the block."""
    directory.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        counting = stack.enter_context(
            counting_gitlab(directory / "repositories", rig.address, poll_seconds, trace_seconds)
        )
        gitlab = counting.gitlab
        stack.callback(leftovers.remove_lasting, rig.engine_host, gitlab.runner_token)
        started = []
        for number in range(hosts):
            home = directory / f"host-{number}"
            home.mkdir()
            entry = {**table, "name": "scale", "url": gitlab.url, "token": gitlab.runner_token}
            document = {
                "concurrent": concurrent,
                "check_interval": CHECK_INTERVAL,
                "shutdown_timeout": 60,
                "runners": [entry],
            }
            config = home / "config.toml"
            config.write_text(toml.dumps(document), encoding="utf-8")
            config.chmod(0o600)
            command = runner.command_with(config, home)
            started.append(stack.enter_context(runner.running(command, home)))
        checkout = sources.commit(rig.project, directory / "project")
        pushed = Pushed(gitlab, checkout, project_variables(rig.variables()))
        yield Place(counting, tuple(started), pushed, directory)


def settings(
    rig: Rig, registry: CountingRegistry, directory: Path, dind: Mapping[str, object] | None = None
) -> Path:
    """Write the rig's settings with images of the registry that counts."""
    tables = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    tables["docker"] |= {
        "image": f"{registry.host}/library/docker:26.1-cli",
        "helper_image": f"{registry.host}/rig/helper:1",
    }
    tables["dind"] |= {"image": f"{registry.host}/library/docker:26.1-dind", **(dind or {})}
    tables["dind"].pop("registry_mirrors", None)
    tables["log"] |= {"destination": "file", "path": str(directory / "log.jsonl")}
    tables["sweep"] = {"state_dir": str(directory / "state")}
    (directory / "state").mkdir(parents=True)
    path = directory / "settings.toml"
    path.write_text(toml.dumps(tables), encoding="utf-8")
    return path

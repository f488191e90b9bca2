"""gitlab-runner is killed, and the next job on its host ends its job in GitLab."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.runner import notes
from executor.sweep.files import PAYLOAD
from executor.sweep.processes import is_worked_in
from tests.gitlab import leftovers, moods, runner, server, trace
from tests.gitlab.jobs import FINAL_STATES, Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.load import starts
from tests.rig import authority
from tests.rig.state import Rig
from tests.web import Answer, Request

MOST_JOBS = 8
"""prepare waits for no sweep: what one does not get done is the next one's."""

GHOST = """
job:
  image: alpine
  retry: {max: 1, when: runner_system_failure}
  script:
    - 'if [ "$CI_JOB_ID" = "$FIRST" ]; then echo begun; sleep 600; fi'
    - 'echo "second $CI_JOB_ID"'
"""
OTHER = "job: {image: alpine, script: [echo other]}"

# A stage that never ends: before the real one, or behind it.
BEFORE = """#!/bin/sh
echo reached >&2
exec sleep 600
"""
BEHIND = """#!/bin/sh
"{hooks}/prepare" "$@" || exit
echo reached
exec sleep 600
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A runner host: gitlab-runners with one TMPDIR, one at a time."""

    gitlab: GitLab
    pushed: Pushed
    directory: Path
    # Keys of each gitlab-runner's registration besides those of config.toml.example.
    more: Mapping[str, object]

    @property
    def temporary(self) -> Path:
        """gitlab-runner's TMPDIR."""
        return self.directory / "tmp"

    @contextlib.contextmanager
    def runner(self, settings: Path, hooks: Path = HOOKS) -> Iterator[Runner]:
        """Have a gitlab-runner work until the end of the block."""
        number = sum(1 for _ in self.directory.iterdir())
        environment = {"TMPDIR": str(self.temporary)}
        table = {**runner.custom(settings, hooks), **self.more}
        directory = self.directory / f"runner{number}"
        with runner.working(self.gitlab, table, directory, environment=environment) as started:
            yield started

    def ghost(self, settings: Path, hooks: Path, reached: str) -> tuple[Job, list[Path]]:
        """Kill a job's gitlab-runner and stages once its log has a text; return it and what is left.

        That is its temporary directory, and the file with its log.
        """
        first = str(self.gitlab.last_id + 2)
        mine = replace(self.pushed, variables=project_variables({"FIRST": first}))
        with self.runner(settings, hooks) as started:
            job = mine.start_only(parse_pipeline(GHOST, "test"))
            job.wait_for(reached)
            started.process.kill()
            started.process.wait()
            self.kill_stages()
            # It may have died while it waited for another job, which would be lost with it.
            self.gitlab.renew_runner_token()
        assert (str(job.id), job.state) == (first, "running")
        left = sorted(self.temporary.iterdir())
        kinds = [each.name.rstrip("0123456789") for each in left]
        assert kinds == ["custom-executor", "trace"]
        assert (left[0] / PAYLOAD).exists()
        return job, left

    def kill_stages(self) -> None:
        """Kill what works in a job's temporary directory, until nothing does."""
        for left in self.temporary.glob("custom-executor*"):
            found = left.stat()
            while is_worked_in(str(left), (found.st_dev, found.st_ino)):
                for cwd in Path("/proc").glob("[0-9]*/cwd"):
                    with contextlib.suppress(OSError):
                        if cwd.readlink().is_relative_to(left):
                            os.kill(int(cwd.parent.name), signal.SIGKILL)

    def jobs_until(self, is_reached: Callable[[], bool], what: str) -> None:
        """Run other jobs, one after another, until something is so."""
        for _ in range(MOST_JOBS):
            if is_reached():
                return
            job = self.pushed.start_only(parse_pipeline(OTHER, "test"))
            assert job.wait().state == "success", trace.plain(job.trace)
        assert is_reached(), f"{what} after {MOST_JOBS} jobs"


@pytest.fixture
def host(another_gitlab: GitLab, checkout: Checkout, tmp_path: Path) -> Host:
    """A runner host of its own, as far as gitlab-runner can tell."""
    return a_host(another_gitlab, checkout, tmp_path, {})


def a_host(gitlab: GitLab, checkout: Checkout, tmp_path: Path, more: Mapping[str, object]) -> Host:
    directory = tmp_path / "host"
    (directory / "tmp").mkdir(parents=True)
    return Host(gitlab, Pushed(gitlab, checkout), directory, more)


def hooks_with(directory: Path, text: str, stage: str = "prepare") -> Path:
    """Return hooks of which one is another one."""
    directory.mkdir()
    for name in ("config", "prepare", "run", "cleanup"):
        (directory / name).write_text(f'#!/bin/sh\nexec "{HOOKS}/{name}" "$@"\n')
    (directory / stage).write_text(text.replace("{hooks}", str(HOOKS)))
    for each in directory.iterdir():
        each.chmod(0o755)
    return directory


@pytest.fixture
def settings(rig: Rig, tmp_path: Path) -> Path:
    """Settings with which a job gets dind only where it asks for it, as these here do not."""
    text = rig.settings.read_text().replace('mode = "always"', 'mode = "service"')
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def is_over(job: Job) -> Callable[[], bool]:
    return lambda: job.state in FINAL_STATES


def gone(*files: Path) -> Callable[[], bool]:
    return lambda: not any(each.exists() for each in files)


@pytest.mark.parametrize("where", ["start", "config", "prepare", "script"])
def test_the_next_job_ends_a_ghost(
    host: Host, rig: Rig, settings: Path, tmp_path: Path, where: str
) -> None:
    """Wherever gitlab-runner was killed, its job fails as its fault, and runs again elsewhere.

    Of a job that had come to config only there is no object on the engine, and of one that had not even
    come to its end no note says whose it is.  Nothing stays of any.
    """
    hooks, reached = {
        "start": (hooks_with(tmp_path / "hooks0", BEFORE, "config"), "reached"),
        "config": (hooks_with(tmp_path / "hooks", BEFORE), "reached"),
        "prepare": (hooks_with(tmp_path / "hooks1", BEHIND), "reached"),
        "script": (HOOKS, "\nbegun"),
    }[where]
    job, files = host.ghost(rig.settings if where == "script" else settings, hooks, reached)
    # Whatever works beside this test may sweep the objects of the other two at once.
    assert (files[0] / notes.OWNER).exists() is (where != "start")
    assert where not in {"start", "config"} or leftovers.of_jobs(rig.engine_host, [job]) == []

    with host.runner(settings):
        host.jobs_until(is_over(job), "the ghost is not over")
        assert (job.state, job.failure_reason) == ("failed", "runner_system_failure")
        name = os.uname().nodename
        assert f"gitlab-runner on {name} ended before the job did" in trace.lines(job.trace)[-1]
        again = job.wait_for_again()
        assert again.wait().state == "success"
        assert f"second {again.id}" in trace.lines(again.trace)
        host.jobs_until(lambda: not leftovers.of_jobs(rig.engine_host, [job]), "objects are left")
        host.jobs_until(gone(*files), "files are left")


def test_a_job_that_begins_is_no_ghost(rig: Rig, tmp_path: Path) -> None:
    """Before config has noted whose it is, a job is its living gitlab-runner's at each moment."""
    seen = starts.starts(rig, tmp_path, jobs=4, concurrent=4)

    assert seen.wrong() == []
    assert seen.lives


def test_a_gitlab_that_is_away_hears_it_later(host: Host, settings: Path) -> None:
    """What tells of the ghost stays, and the first sweep that GitLab answers ends it."""
    job, files = host.ghost(settings, HOOKS, "\nbegun")
    asked = threading.Event()

    def away(request: Request) -> Answer | None:
        asked.set()
        return moods.broken(HTTPStatus.SERVICE_UNAVAILABLE)(request)

    host.gitlab.mood = moods.only_for("GET", "/api/v4/job", away)
    with host.runner(settings):
        host.jobs_until(asked.is_set, "GitLab is not asked")
        assert job.state == "running"
        assert (files[0] / PAYLOAD).exists()
        host.gitlab.mood = lambda _: None
        host.jobs_until(is_over(job), "the ghost is not over")
        host.jobs_until(gone(*files), "files are left")
    assert job.failure_reason == "runner_system_failure"


def test_a_gitlab_with_a_private_authority_is_told(
    checkout: Checkout, rig: Rig, settings: Path, tmp_path: Path
) -> None:
    """The certificates that only gitlab-runner's configuration names are known to the sweep."""
    certificates = authority.ensure(rig.address)
    with server.serving(tmp_path / "repositories", rig.address, certificates) as gitlab:
        more = {"tls-ca-file": str(certificates.ca)}
        host = a_host(gitlab, checkout, tmp_path, more)
        job, _ = host.ghost(settings, hooks_with(tmp_path / "hooks", BEFORE), "reached")
        with host.runner(settings):
            host.jobs_until(is_over(job), "the ghost is not over")
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    assert job.failure_reason == "runner_system_failure"


def test_nothing_is_sent_where_the_settings_say_so(host: Host, settings: Path) -> None:
    """What the job left goes, and GitLab is told nothing with its token."""
    settings.write_text(f"{settings.read_text()}\n[sweep]\nend_ghosts = false\n")
    job, files = host.ghost(settings, HOOKS, "\nbegun")
    said: list[Request] = []

    def listen(request: Request) -> None:
        if (
            job.token in (request.headers.get("job-token"), *request.headers.values())
            or job.token.encode() in request.body
        ):
            said.append(request)

    host.gitlab.mood = listen
    with host.runner(settings):
        host.jobs_until(gone(*files), "files are left")
    assert said == []
    assert job.state == "running"

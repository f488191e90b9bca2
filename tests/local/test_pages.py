"""The page's pipelines through `dind-executor local`, the real hooks and a real engine."""

import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import git, pipelines
from tests.local.conftest import HERE
from tests.rig.state import Rig

CASES = [*pipelines.cases(), *((name, ()) for name in pipelines.OTHERS)]
JOBS = {"four-stages": ["build", "test1", "test2", "release-image", "deploy"]}
PATIENCE_SECONDS = 300


@dataclass
class Author:
    """Somebody with the rig's sample project, who types `dind-executor local`."""

    project: Path
    rig: Rig
    options: list[str] = field(default_factory=list)

    def start(self, pipeline: str, *arguments: str) -> subprocess.Popen[str]:
        (self.project / ".gitlab-ci.yml").write_text(pipeline)
        return subprocess.Popen(
            [sys.executable, "-m", "executor", "local", *self.options, *arguments],
            cwd=self.project,
            env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, pipeline: str, *arguments: str) -> tuple[int, str]:
        process = self.start(pipeline, *arguments)
        try:
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate()
        return process.returncode, output


@pytest.fixture
def author(rig: Rig, tmp_path: Path) -> Author:
    project = git.copied(rig.project, tmp_path / "project")
    options = ["--config", str(rig.registration), "--project-path", "group/project"]
    options += ["--timeout", "5m"]
    for key, value in pipelines.variables(rig).items():
        if key.endswith("_PASSWORD"):
            secret = tmp_path / key
            secret.write_text(value)
            options += ["--secret-variable", f"{key}=@{secret}"]
        else:
            options += ["--variable", f"{key}={value}"]
    return Author(project, rig, options)


def owned_by_job(rig: Rig, job_id: str) -> list[str]:
    """Return what of a job is left on the engine."""
    found = []
    for kind in ("container", "network", "volume"):
        everything = ["--all"] if kind == "container" else []
        names = ["--filter", f"name=dind-executor-{job_id}-"]
        done = subprocess.run(
            ["docker", "--host", rig.engine_host, kind, "ls", "-q", *everything, *names],
            capture_output=True,
            text=True,
            check=True,
        )
        found += [f"{kind} {name}" for name in done.stdout.split()]
    return found


@pytest.mark.family(4)
@pytest.mark.parametrize(
    ("name", "left_out"), CASES, ids=["-without-".join((name, *parts)) for name, parts in CASES]
)
def test_a_pipeline_passes_at_the_first_try(
    author: Author, name: str, left_out: tuple[str, ...]
) -> None:
    """A pipeline of the page passes whole and without what authors forget; no password shows."""
    exit_code, output = author.run(pipelines.text(name, *left_out))
    assert exit_code == 0, output
    names = JOBS.get(name, ["build"])
    rows = [line.split() for line in output.splitlines()[-len(names) :]]
    assert [row[:2] for row in rows] == [[job, "success"] for job in names]
    assert "Preparation failed" not in output
    for user in (author.rig.ci_user, author.rig.deploy_user):
        assert user.password not in output


def test_jobs_are_excluded_by_their_rules(author: Author) -> None:
    """On another branch than main the page's pipeline releases and deploys nothing."""
    exit_code, output = author.run(pipelines.text("four-stages"), "--branch", "feature/x")
    assert exit_code == 0, output
    assert [line.split()[0] for line in output.splitlines()[-3:]] == ["build", "test1", "test2"]


def test_a_canceled_job_runs_its_after_script_and_leaves_nothing(author: Author) -> None:
    """The script is stopped inside its container, which lives on for after_script."""
    pipeline = """
job:
  variables: {GIT_DEPTH: "1"}
  script:
    - echo "the job is <$CI_JOB_ID>"
    - sleep 600 && echo "slept it through"
  after_script:
    - echo "after $CI_JOB_STATUS"
    - docker version --format 'dind {{.Server.Os}}'
    - if pgrep -x sleep; then echo "sleeps on"; fi
"""
    process = author.start(pipeline)
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if line.startswith("$ sleep"):
            break
    job_id = seen.rpartition("the job is <")[2].partition(">")[0]
    assert owned_by_job(author.rig, job_id) != [], seen
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, seen + rest
    assert "\nafter canceled\n" in rest
    assert "\ndind linux\n" in rest
    for line in ("slept it through", "sleeps on"):
        assert f"\n{line}\n" not in rest
    assert owned_by_job(author.rig, job_id) == []


def test_artifacts_go_through_the_helper_container(author: Author) -> None:
    """The helper's gitlab-runner moves artifacts, whatever the job's image has."""
    pipeline = """
make:
  stage: build
  script: ["mkdir out", "echo made > out/file"]
  artifacts: {paths: [out]}
use:
  stage: test
  script: ["cat out/file"]
"""
    exit_code, output = author.run(pipeline)
    assert exit_code == 0, output
    assert "\nmade\n" in output


PIPELINE_OF_MANY = """
.deps:
  cache: {key: {files: [Dockerfile], prefix: deps}, paths: [deps]}
fill:
  extends: .deps
  stage: build
  script: [mkdir deps, echo cached > deps/word, echo left > rest, exit 3]
  cache: {when: always}
  artifacts: {paths: [rest], name: rests, when: on_failure, expire_in: 1 day}
  allow_failure: {exit_codes: 3}
flaky:
  stage: build
  cache: {key: tried, paths: [tried], when: always}
  script: ["test -e tried || { touch tried; exit 42; }"]
  retry: {max: 1, exit_codes: 42}
late:
  stage: build
  timeout: 15 seconds
  script: [sleep 600]
  allow_failure: true
restored:
  extends: .deps
  needs: [{job: fill, artifacts: false}]
  cache: {policy: pull}
  script: [cat deps/word, test ! -e rest]
kept:
  stage: deploy
  needs: [fill]
  script: [cat rest, test ! -e deps]
all: {stage: deploy, dependencies: [], script: [test ! -e rest]}
"""


def test_caches_artifacts_tries_and_time_limits(author: Author, tmp_path: Path) -> None:
    """The helper's gitlab-runner keeps what several jobs on one engine leave."""
    served = tmp_path / "caches"
    exit_code, output = author.run(PIPELINE_OF_MANY, "--cache-server", str(served))
    assert exit_code == 0, output
    results = [re.split(r"  +", line)[:2] for line in output.splitlines()[-7:]]
    assert results == [
        ["fill", "failed (3), allowed"],
        ["flaky", "failed (42), retried"],
        ["flaky", "success"],
        ["late", "timed out, allowed"],
        ["restored", "success"],
        ["kept", "success"],
        ["all", "success"],
    ]
    lines = [line.partition(" | ")[2] for line in output.splitlines()]
    assert "cached" in lines
    assert "left" in lines
    assert len(list(served.rglob("*.zip"))) == 2


def cache_volumes(rig: Rig, project: str) -> list[str]:
    """Return the cache volumes of a project of `dind-executor local`."""
    part = f"name=-project-{zlib.crc32(project.encode()) & 0x7FFFFFFF}-"
    command = ["docker", "--host", rig.engine_host, "volume", "ls", "-q", "--filter", part]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture
def keeping(author: Author, tmp_path: Path) -> Iterator[Author]:
    """The author with settings that keep /cache; the volumes go in the end."""
    settings = tmp_path / "settings.toml"
    text = author.rig.settings.read_text()
    settings.write_text(text.replace("[docker]", '[docker]\nvolumes = ["/cache"]'))
    hooks = HERE.parent.parent / "hooks"
    # A name of this test's own, so that nobody else's caches are found or removed.
    project = f"group/{tmp_path.parent.name}-{os.getpid()}"
    options = ["--hooks", str(hooks), "--settings", str(settings), "--project-path", project]
    yield Author(author.project, author.rig, options)
    for volume in cache_volumes(author.rig, project):
        command = ["docker", "--host", author.rig.engine_host, "volume", "rm", volume]
        subprocess.run(command, capture_output=True, check=True)


def test_a_cache_volume_is_found_by_the_next_run(keeping: Author) -> None:
    """All runs of a registration are one runner to the hooks, so the next run has its volume."""
    pipeline = """
job:
  cache: {paths: [kept]}
  script:
    - if [ -e kept ]; then echo "found $(cat kept)"; else echo nothing yet; fi
    - echo "from the run before" > kept
"""
    said = []
    for _ in range(2):
        exit_code, output = keeping.run(pipeline)
        assert exit_code == 0, output
        said += [line for line in output.splitlines() if line.startswith(("found ", "nothing "))]
    assert said == ["nothing yet", "found from the run before"]
    assert len(cache_volumes(keeping.rig, keeping.options[-1])) == 1

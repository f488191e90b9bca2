"""What a project's next job finds again, through a real gitlab-runner: caches and sources."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import leftovers, runner, server, sources, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.rig.state import Rig
from tests.stages.conftest import Changes, settings_text

CACHE = "cache: {key: one, paths: [kept/], policy: %s, when: %s}"
SEED = f"job: {{script: [mkdir kept, echo first > kept/file, exit 1], {CACHE % ('pull-push', 'always')}}}"
PULL = f"job: {{script: [cat kept/file, echo changed > kept/file], {CACHE % ('pull', 'always')}}}"
PUSH = (
    "job: {script: ['test ! -e kept', mkdir kept, echo second > kept/file],"
    f" {CACHE % ('push', 'on_success')}}}"
)
FAILING = (
    "job: {script: [cat kept/file, echo changed > kept/file, exit 1],"
    f" {CACHE % ('pull-push', 'on_success')}}}"
)
BOTH = f"job: {{script: [cat kept/file], {CACHE % ('pull-push', 'on_success')}}}"
FETCH = "variables: {GIT_STRATEGY: fetch, FF_ENABLE_JOB_CLEANUP: '%s'}"
LEAVE = """job: {script: ['test -z "$LEFT"', touch left-over, 'echo LEFT=over >>"$GITLAB_ENV"']}"""
SUBMODULES = """
variables: {GIT_STRATEGY: fetch, FF_ENABLE_JOB_CLEANUP: 'true', GIT_SUBMODULE_STRATEGY: recursive}
job: {script: [ls another, ls sub/deploy.sh, touch left-over sub/left-over-too]}
"""


@pytest.fixture(scope="module")
def pushed(
    rig: Rig, checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pushed]:
    """A project on a runner of its own, whose settings keep caches, one job after the other."""
    directory = tmp_path_factory.mktemp("caches")
    settings = directory / "settings.toml"
    changes: Changes = {"docker": {"volumes": ["/cache"]}, "dind": {"mode": "service"}}
    settings.write_text(settings_text(rig, changes), encoding="utf-8")
    with server.serving(directory / "repositories", rig.address) as gitlab:
        try:
            table, where = runner.custom(settings), directory / "runner"
            # One slot: GitLab hears of a job's end before the runner has left its slot.
            with runner.working(gitlab, table, where, concurrent=1):
                yield Pushed(gitlab, checkout)
            assert leftovers.of_jobs(rig.engine_host, gitlab.jobs()) == []
        finally:
            leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)


def run(pushed: Pushed, *parts: str) -> tuple[Job, str]:
    """Run the one job of a pipeline to its end; return it and its log."""
    job = pushed.start_only(parse_pipeline("\n".join(parts), "test")).wait()
    return job, trace.plain(job.trace)


def test_caches_pass_by_their_policies(pushed: Pushed) -> None:
    """A failed job that says `always` saves its cache; one that only pulls saves none."""
    states = []
    logs = []
    for text in (SEED, PULL, BOTH, PUSH, FAILING, BOTH):
        job, log = run(pushed, text)
        states.append(job.state)
        logs.append(log)
    assert states == ["failed", "success", "success", "success", "failed", "success"], logs[-1]
    seeded, pulled, first, pushed_on, failed, second = logs
    assert "Creating cache one" in seeded
    assert "Not uploading cache one" in pulled
    assert "first\n" in first
    assert "Not downloading cache one" in pushed_on
    assert "second\n" in failed
    assert "second\n" in second


def test_fetched_sources_last_and_are_cleaned(
    pushed: Pushed, checkout: Checkout, tmp_path: Path
) -> None:
    """The next job cleans them, or this one with FF_ENABLE_JOB_CLEANUP; a clone begins anew.

    What a job wrote to GITLAB_ENV goes with it.  The next one may be of another branch.
    """
    _, first = run(pushed, FETCH % "false", LEAVE)
    assert "Removing left-over" not in first
    cloned, _ = run(pushed, "job: {script: ['test ! -e left-over']}")
    assert cloned.state == "success"
    fetched, second = run(pushed, FETCH % "true", LEAVE)
    assert fetched.state == "success", second
    # The second one removes what the first has left, and then, at its end, what it left itself.
    assert second.count("Removing left-over") == 2
    assert "Reinitialized existing Git repository" in second
    branch = sources.branched(checkout, "another", tmp_path)
    moved, third = run(replace(pushed, checkout=branch), SUBMODULES)
    assert moved.state == "success", third
    removed = [line for line in third.splitlines() if line.startswith("Removing left-over")]
    assert removed == ["Removing left-over", "Removing left-over-too"]
    back, fourth = run(pushed, FETCH % "false", "job: {script: ['test ! -e another']}")
    assert back.state == "success", fourth
    assert "Removing left-over" not in fourth


def test_sources_given_to_a_user_can_be_fetched_into(pushed: Pushed) -> None:
    """The helper is root, and git trusts what belongs to the last job's user."""
    flag = "variables: {GIT_STRATEGY: fetch, FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR: 'true'}"
    text = "job: {image: {name: alpine, docker: {user: '1000:1000'}}, script: [touch mine]}"
    runs = [run(pushed, flag, text) for _ in range(2)]
    for job, log in runs:
        assert job.state == "success", log
        assert "Not using umask - FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR is set!" in log
        assert 'Changing ownership of files at "/builds/group/project" to 1000:1000' in log
    assert "Removing mine" in runs[-1][1]

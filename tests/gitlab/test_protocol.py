"""The custom executor's protocol as a real gitlab-runner speaks it with the hooks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.local.project.predefined import Site
from tests.gitlab import leftovers, runner, server, trace
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.rig import authority
from tests.rig.state import Rig
from tests.stages.conftest import settings_text


@pytest.fixture
def elsewhere(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> Iterator[Pushed]:
    """A runner whose settings name directories other than config.toml, and whose cleanup fails."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for stage in ("config", "prepare", "run", "cleanup"):
        end = "exit 2" if stage == "cleanup" else "exit $?"
        (hooks / stage).write_text(f'#!/bin/sh\n{HOOKS}/{stage} "$@"\n{end}\n')
        (hooks / stage).chmod(0o755)
    settings = tmp_path / "settings.toml"
    text = settings_text(rig, {"dind": {"mode": "service"}})
    settings.write_text(text.replace("/builds", "/else/where"), encoding="utf-8")
    with runner.working(another_gitlab, runner.custom(settings, hooks), tmp_path / "runner"):
        yield Pushed(another_gitlab, checkout)


JOB = """
job:
  image: busybox
  variables: {%s}
  script: [echo "in=$PWD", ls -a, git --version || true]
"""


def test_directories_come_from_config_and_a_failed_cleanup_fails_no_job(elsewhere: Pushed) -> None:
    """The job's own choice of a directory counts below the builds directory only."""
    jobs = {
        variables: elsewhere.start_only(parse_pipeline(JOB % variables, "test"))
        for variables in (
            "GIT_STRATEGY: fetch",
            'GIT_CHECKOUT: "false"',
            "GIT_CLONE_PATH: $CI_BUILDS_DIR/mine",
            "GIT_CLONE_PATH: /outside",
        )
    }
    logs = {variables: trace.plain(job.wait().trace) for variables, job in jobs.items()}
    fetch, no_checkout, inside, outside = logs.values()
    assert [job.state for job in jobs.values()] == ["success", "success", "success", "failed"], logs
    assert "Initialized empty Git repository in /else/where/group/project/.git/" in fetch
    assert "in=/else/where/group/project\n" in fetch
    assert "deploy.sh\n" in fetch
    assert "Skipping Git checkout" in no_checkout
    assert "deploy.sh\n" not in no_checkout
    assert "in=/else/where/mine\n" in inside
    assert 'the GIT_CLONE_PATH="/outside" has to be within "/else/where"' in outside
    assert all("Cleanup script failed: exit status 2" in log for log in logs.values())


def test_the_runners_own_keys_work(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> None:
    """gitlab-runner's keys beside `[runners.docker]`: scripts around the job's, variables, flags.

    The sources can be fetched from `clone_url` alone.
    """
    table = {
        **runner.custom(rig.settings),
        "environment": ["FROM_CONFIG=of the administrator"],
        "clone_url": another_gitlab.url,
        "pre_get_sources_script": "echo before sources in $(command -v git)",
        "post_get_sources_script": "echo after sources",
        "pre_build_script": "echo before script, $FROM_CONFIG",
        "post_build_script": "echo after script",
        "feature_flags": {"FF_SCRIPT_SECTIONS": True},
        "shell": "sh",
        "debug_trace_disabled": True,
    }
    text = """
    job: {image: busybox, variables: {CI_DEBUG_TRACE: "true"}, script: ["echo the\\necho script"]}
    """
    pushed, pipeline = Pushed(another_gitlab, checkout), parse_pipeline(text, "test")
    facts = pushed.facts(pipeline)
    (definition,) = pushed.jobs_of(pipeline, facts).values()
    nowhere = Site(another_gitlab.host, 1)
    with runner.working(another_gitlab, table, tmp_path / "runner"):
        job = pushed.start(definition, replace(facts, site=nowhere)).wait()
    lines = trace.lines(job.trace)
    expected = [
        "before sources in /usr/bin/git",
        "after sources",
        "before script, of the administrator",
        "the",
        "script",
        "after script",
    ]
    assert job.state == "success", lines
    assert [line for line in lines if line in expected] == expected
    assert "CI_DEBUG_TRACE: usage is disabled on this Runner" in trace.plain(job.trace)
    assert not [line for line in lines if line.startswith("+")]
    assert (
        b"section_start" in job.trace.partition(b"before script")[2].partition(b"after script")[0]
    )


PRIVATE = """
stages: [make, use]
make:
  image: busybox
  stage: make
  variables: {GIT_STRATEGY: fetch}
  script: [ls deploy.sh, 'grep -c BEGIN "$CI_SERVER_TLS_CA_FILE"', echo made >made]
  artifacts: {paths: [made]}
use: {image: busybox, stage: use, script: [ls deploy.sh, cat made]}
"""


def test_a_gitlab_with_a_private_authority(checkout: Checkout, rig: Rig, tmp_path: Path) -> None:
    """gitlab-runner hands its certificates to git and to what carries artifacts."""
    certificates = authority.ensure(rig.address)
    with server.serving(tmp_path / "repositories", rig.address, certificates) as gitlab:
        table = {
            **runner.custom(rig.settings),
            "tls-ca-file": str(certificates.ca),
            "clone_url": gitlab.url,
        }
        try:
            with runner.working(gitlab, table, tmp_path / "runner"):
                jobs = Pushed(gitlab, checkout).run(parse_pipeline(PRIVATE, "test"))
        finally:
            leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert [job.state for job in jobs.values()] == ["success", "success"], logs
    assert "made\n" in logs["use"]

"""Helper images other than the rig's: GitLab's own by its shape, and one that lacks gitlab-runner."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests.gitlab import runner, trace
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.rig.state import Rig
from tests.stages.conftest import settings_text
from tests.stages.registry import LIKE_GITLABS, Images
from tests.stages.witness import Witness

PIPELINE = """
stages: [make, use]
maker:
  stage: make
  image: busybox
  script: [echo made >made]
  artifacts: {paths: [made]}
user:
  stage: use
  image: busybox
  script: [cat made]
"""


@pytest.fixture
def images(rig: Rig) -> Iterator[Images]:
    """What makes images; they go with the test."""
    witness = Witness(rig.engine_host)
    images = Images(witness)
    yield images
    images.remove_all()
    witness.close()


@pytest.fixture
def settings(rig: Rig, tmp_path: Path) -> Path:
    """Settings that name another helper image, and no sidecar, which these jobs do not need."""
    path = tmp_path / "settings.toml"
    docker = {"helper_image": "dind-executor-tests/helper:1", "pull_policy": "if-not-present"}
    text = settings_text(rig, {"docker": docker, "dind": {"mode": "service"}})
    path.write_text(text, encoding="utf-8")
    return path


def test_gitlabs_own_helper_image_works_as_it_is(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, images: Images, settings: Path
) -> None:
    """An image with GitLab's entrypoint and program name carries artifacts without a warning."""
    entrypoint = 'ENTRYPOINT ["/usr/bin/dumb-init", "/entrypoint"]'
    helper = images.changed(rig.helper_image, LIKE_GITLABS, entrypoint)
    images.tag(helper, "dind-executor-tests/helper:1")
    pushed = Pushed(another_gitlab, checkout)
    with runner.working(another_gitlab, runner.custom(settings), settings.parent / "runner"):
        jobs = pushed.run(parse_pipeline(PIPELINE, "test"))
    logs = {name: trace.plain(job.trace) for name, job in jobs.items()}
    assert [job.state for job in jobs.values()] == ["success", "success"], logs
    assert "made" in logs["user"].splitlines()
    assert "Missing gitlab-runner" not in logs["maker"]
    assert "WARNING: The helper image" not in logs["maker"]


def test_artifacts_are_not_lost_in_silence(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, images: Images, settings: Path
) -> None:
    """A helper image that lacks gitlab-runner fails the job and names the settings key."""
    helper = images.changed(rig.helper_image, "rm /usr/bin/gitlab-runner*")
    images.tag(helper, "dind-executor-tests/helper:1")
    pushed = Pushed(another_gitlab, checkout)
    with runner.working(another_gitlab, runner.custom(settings), settings.parent / "runner"):
        (job,) = pushed.run(parse_pipeline(PIPELINE, "test"), "maker").values()
    log = trace.plain(job.trace)
    assert (job.state, job.failure_reason) == ("failed", "runner_system_failure"), log
    assert "caches and artifacts would be lost" in log
    assert "`[docker] helper_image`" in log

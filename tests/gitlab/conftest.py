"""One GitLab, one gitlab-runner with dind-executor, one sample project for the tests beside this."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.local.project.checkout import Checkout
from tests import pipelines, planning, recording
from tests.gitlab import counting, leftovers, runner, server, sources
from tests.gitlab.pipelines import Pushed, project_variables
from tests.gitlab.runner import Runner
from tests.gitlab.server import GitLab
from tests.hooks import HOOKS
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig


@pytest.fixture(scope="session", autouse=True)
def gitlab_runner() -> str:
    """The version of the gitlab-runner on PATH; without one there is nothing to test here."""
    if not runner.is_there():
        pytest.skip("there is no gitlab-runner on PATH")
    return runner.version()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The sample project's commit: a Dockerfile, scripts, and deploy.sh."""
    return sources.commit(PROJECT_FILES, tmp_path_factory.mktemp("project") / "tree")


@pytest.fixture(scope="package")
def gitlab(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    """GitLab, at an address that the jobs' containers reach."""
    with server.serving(tmp_path_factory.mktemp("repositories"), rig.address) as served:
        yield served
        leftovers.remove_lasting(rig.engine_host, served.runner_token)


@pytest.fixture
def another_gitlab(rig: Rig, tmp_path: Path) -> Iterator[GitLab]:
    """A GitLab for one test that has a runner of its own."""
    with server.serving(tmp_path / "repositories", rig.address) as served:
        yield served
        leftovers.remove_lasting(rig.engine_host, served.runner_token)


@pytest.fixture(scope="package")
def noting_hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hooks of which prepare notes what it asks for, so that it can be compared with its plan."""
    if recording.recorder():
        return HOOKS
    return recording.recording_hooks(tmp_path_factory.mktemp("noting") / "hooks", HOOKS)


@pytest.fixture(autouse=True)
def recorded() -> Iterator[None]:
    """Compare what has called prepare in the test, where each call is noted."""
    yield
    planning.compare_recorded()


@pytest.fixture(scope="package")
def settings_with_state(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rig's settings, with a directory beside them in which jobs leave their records."""
    path = tmp_path_factory.mktemp("state") / "settings.toml"
    text = rig.settings.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[sweep]\nstate_dir = "{path.parent}"\n', encoding="utf-8")
    return path


@pytest.fixture(scope="package")
def our_runner(
    gitlab: GitLab,
    settings_with_state: Path,
    noting_hooks: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runner]:
    """gitlab-runner with dind-executor."""
    directory = tmp_path_factory.mktemp("runner")
    table = runner.custom(settings_with_state, noting_hooks)
    with runner.working(gitlab, table, directory) as started:
        yield started


@pytest.fixture
def pushed(
    gitlab: GitLab,
    our_runner: Runner,
    noting_hooks: Path,
    settings_with_state: Path,
    rig: Rig,
    checkout: Checkout,
) -> Iterator[Pushed]:
    """The sample project, pushed; afterwards nothing of its jobs may be left on the engine.

    And prepare has asked for what `plan` says, and each job is counted once, as GitLab knows it.
    """
    before = {job.id for job in gitlab.jobs()}
    yield Pushed(gitlab, checkout, project_variables(pipelines.variables(rig)))
    assert our_runner.process.poll() is None, our_runner.log()[-4000:]
    new = [job for job in gitlab.jobs() if job.id not in before]
    assert leftovers.of_jobs(rig.engine_host, new) == []
    planning.compare_all(recording.notes_of(noting_hooks))
    ran = [job for job in new if job.handed_out_at]
    for job in ran:
        our_runner.wait_until_left(job.id)
    assert counting.differences(settings_with_state.parent / "spool", ran) == []

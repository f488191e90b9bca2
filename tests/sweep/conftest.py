"""GitLab with one job that has lost its runner, for the tests beside this."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from tests.gitlab import server
from tests.gitlab.jobs import Job
from tests.gitlab.server import GitLab
from tests.rig import authority
from tests.rig.authority import Certificates
from tests.sweep.machine import have_own_machine
from tests.sweep.samples import payload


@pytest.fixture
def whole_machine(mocker: MockerFixture) -> None:
    """Have the tests see all processes, also where they run in a container."""
    have_own_machine(mocker)


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """gitlab-runner's TMPDIR."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    return directory


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    """GitLab on this machine."""
    with server.serving(tmp_path / "repositories") as served:
        yield served


@pytest.fixture
def ghost(gitlab: GitLab) -> Job:
    """A job that runs as far as GitLab knows, and is given out again after a system failure."""
    return taken(gitlab)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate for this machine, of an authority that nobody knows."""
    return authority.made("127.0.0.1", tmp_path_factory.mktemp("tls"))


def taken(gitlab: GitLab) -> Job:
    """Put a job into the queue, and have a runner take it that writes a line and dies."""
    job = gitlab.enqueue(payload(gitlab.url), ("runner_system_failure",))
    gitlab.take(job, "s_dead")
    job.append(0, b"Running with gitlab-runner\n")
    return job


@pytest.fixture
def tls_gitlab(tmp_path: Path, certificates: Certificates) -> Iterator[GitLab]:
    """GitLab on this machine, over HTTPS."""
    with server.serving(tmp_path / "tls-repositories", certificates=certificates) as served:
        yield served

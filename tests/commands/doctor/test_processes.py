"""Which gitlab-runner runs, and whose word counts."""

from pathlib import Path

import pytest

from executor.commands.doctor.facts import Service
from executor.commands.doctor.files import Files
from executor.commands.doctor.processes import running
from tests.commands.doctor.hosts import plant_host, plant_process

UNIT = Service(found=True, properties={"User": "gitlab-runner", "MainPID": "0"})
RUNNER, STRANGER = 995, 1234


def found(root: Path, service: Service | None = None, user: str = "") -> int:
    """Return the number of the process that counts, 0 where none does."""
    process = running(Files(str(root)), "", service, user)
    return process.pid if process else 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a host without a gitlab-runner."""
    return plant_host(tmp_path)


def test_one_of_root_or_of_the_runners_user_counts(root: Path) -> None:
    """Whom the unit or --user names; anybody else may call a process what they like."""
    plant_process(root, 80, uid=STRANGER, environ={"DOCKER_HOST": "tcp://192.0.2.9:2375"})
    plant_process(root, 81, uid=RUNNER)

    assert found(root) == 0
    assert found(root, UNIT) == 81
    assert found(root, user="gitlab-runner") == 81
    assert found(root, user=str(STRANGER)) == 80

    plant_process(root, 82, uid=0)
    assert found(root) == 82


def test_another_program_of_that_name_does_not_count(root: Path) -> None:
    """A process says what it is called; the kernel says what it runs."""
    plant_process(root, 80, uid=0, program="/bin/sh")
    assert found(root) == 0

    plant_process(root, 81, uid=0, program="/usr/bin/gitlab-runner (deleted)")
    assert found(root) == 81  # upgraded, and not started again yet


def test_one_that_may_be_two_users_does_not_count(root: Path) -> None:
    """Who began a program with other rights has set its variables."""
    plant_process(root, 80, uid=0, real_uid=STRANGER)

    assert found(root) == 0


def test_the_main_process_of_the_unit_comes_first(root: Path) -> None:
    """systemd knows which one it started, whoever that is."""
    plant_process(root, 80, uid=0)
    plant_process(root, 81, uid=STRANGER)

    assert found(root, Service(found=True, properties={"MainPID": "81"})) == 81
    assert found(root, Service(found=True, properties={"MainPID": "79"})) == 80


def test_a_container_has_nothing_to_say_of_the_engine(root: Path) -> None:
    """A job runs as root in one, too: only that there is a gitlab-runner is seen."""
    plant_process(root, 80, uid=0, pids="80 7", environ={"DOCKER_HOST": "tcp://192.0.2.9:2375"})
    process = running(Files(str(root)), "", None, "")

    assert process is not None
    assert (process.in_container, process.environ) == (True, {})

    plant_process(root, 81, uid=0, environ={"HOME": "/root"})
    process = running(Files(str(root)), "", None, "")
    assert process is not None
    assert (process.pid, process.environ) == (81, {"HOME": "/root"})

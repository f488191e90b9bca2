"""Removing an installation, or not while a job runs."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.commands.install import uninstall
from executor.commands.install.jobs import RunningJob
from executor.commands.install.versions import PACKAGE, Versions
from tests.commands.install.test_versions import a_version


@pytest.fixture(name="versions")
def _versions(tmp_path: Path) -> Versions:
    versions = Versions(tmp_path / "opt")
    for name in ("1.0", "2.0"):
        a_version(versions.prefix, name)
        versions.switch(name)
    return versions


def jobs(mocker: MockerFixture, versions: Versions, *looks: int) -> None:
    """Have so many jobs run at each look."""
    job = RunningJob("7", "42", "/tmp/custom-executor1", str(versions.path("1.0")))
    looked = [[job] * each for each in looks]
    mocker.patch.object(uninstall, "running_jobs", side_effect=looked)


def test_everything_is_removed(mocker: MockerFixture, versions: Versions) -> None:
    """The prefix itself too."""
    jobs(mocker, versions, 0, 0)

    assert uninstall.main([f"--prefix={versions.prefix}"]) == 0

    assert not versions.prefix.exists()


@pytest.mark.parametrize("looks", [(1,), (0, 1)])
def test_a_job_runs(
    mocker: MockerFixture,
    versions: Versions,
    capsys: pytest.CaptureFixture[str],
    looks: tuple[int, ...],
) -> None:
    """Also one that has begun after the first look: it finds its hooks again."""
    jobs(mocker, versions, *looks)
    before = sorted(map(str, versions.prefix.rglob("*")))

    assert uninstall.main([f"--prefix={versions.prefix}"]) == 1

    assert "1 still running: job 7 of project 42 (/tmp/custom-executor1)." in (
        capsys.readouterr().err
    )
    assert sorted(map(str, versions.prefix.rglob("*"))) == before


def test_a_job_of_another_installation_does_not_matter(
    mocker: MockerFixture, versions: Versions
) -> None:
    """It uses none of these versions."""
    job = RunningJob("7", "42", "/tmp/custom-executor1", "/elsewhere/1.0")
    mocker.patch.object(uninstall, "running_jobs", return_value=[job])

    assert uninstall.main([f"--prefix={versions.prefix}"]) == 0


def test_force(mocker: MockerFixture, versions: Versions) -> None:
    """It asks nobody, and removes the versions."""
    jobs(mocker, versions)

    assert uninstall.main([f"--prefix={versions.prefix}", "--force"]) == 0
    assert not versions.prefix.exists()


def test_what_a_package_has_is_the_package_managers(
    mocker: MockerFixture, versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person is sent there, and its own script leaves it its files."""
    jobs(mocker, versions, 0, 0)
    a_version(versions.prefix, PACKAGE)

    assert uninstall.main([f"--prefix={versions.prefix}"]) == 2
    assert "`apt-get remove dind-executor`" in capsys.readouterr().err
    assert uninstall.main([f"--prefix={versions.prefix}", "--from-package"]) == 0

    assert [each.name for each in versions.prefix.iterdir()] == [PACKAGE]


def test_nothing_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit 2."""
    assert uninstall.main([f"--prefix={tmp_path}"]) == 2
    assert f"There is nothing of dind-executor in {tmp_path}." in capsys.readouterr().err


def test_files_of_others_stay(
    mocker: MockerFixture, versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    """A prefix may be a directory that others use too; a virtual environment of theirs is no version."""
    jobs(mocker, versions, 0, 0)
    other = versions.prefix / "other"
    (other / "bin").mkdir(parents=True)
    (other / "bin/python").touch()
    (versions.prefix / "data").touch()

    assert uninstall.main([f"--prefix={versions.prefix}"]) == 0

    assert sorted(each.name for each in versions.prefix.iterdir()) == ["data", "other"]
    assert "has other files, which stay: data, other." in capsys.readouterr().out


def test_a_directory_without_a_version_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever else is in it."""
    (tmp_path / "other/bin").mkdir(parents=True)
    (tmp_path / "other/bin/python").touch()

    assert uninstall.main([f"--prefix={tmp_path}"]) == 2

    assert (tmp_path / "other/bin/python").exists()
    assert "There is nothing of dind-executor" in capsys.readouterr().err


def test_a_package_whose_versions_are_gone_can_be_removed(
    mocker: MockerFixture, tmp_path: Path
) -> None:
    """Else the package manager could never remove it."""
    mocker.patch.object(uninstall, "running_jobs", return_value=[])
    (tmp_path / PACKAGE).mkdir()

    assert uninstall.main([f"--prefix={tmp_path}", "--from-package"]) == 0

    assert (tmp_path / PACKAGE).exists()

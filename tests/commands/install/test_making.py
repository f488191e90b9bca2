"""Making a version: what is shared, what is copied, and what stays when it fails."""

import subprocess
import venv
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor import __version__
from executor.commands.install import making
from executor.commands.install.versions import PACKAGE, Versions
from tests.commands.install.test_versions import a_version


def test_a_package_shares_its_files_with_the_version(tmp_path: Path) -> None:
    """Nothing is written twice, and what the package manager takes away is still there."""
    source = a_version(tmp_path, PACKAGE, build="a")
    (source / "bin/python3").symlink_to("python")
    versions = Versions(tmp_path)

    name = making.make_from_built(versions, source)

    made = versions.path(name) / "bin/python"
    assert name == __version__
    assert made.samefile(source / "bin/python")
    assert (versions.path(name) / "bin/python3").readlink() == Path("python")
    assert making.make_from_built(versions, source) == name


def test_an_archive_is_copied(tmp_path: Path) -> None:
    """Whoever has unpacked it owns those files, and must not own the version's."""
    source = a_version(tmp_path / "unpacked", "dind-executor", build="a")
    versions = Versions(tmp_path / "opt")
    begun = versions.begun(__version__)
    begun.mkdir(parents=True)
    (begun / "rest of a call that was killed").touch()

    name = making.make_from_built(versions, source)

    assert not versions.path(name).joinpath("bin/python").samefile(source / "bin/python")
    assert [each.name for each in versions.prefix.iterdir()] == [name]
    assert sorted(each.name for each in versions.path(name).iterdir()) == ["BUILD", "bin", "hooks"]


def test_another_build_of_the_same_version_is_beside_it(tmp_path: Path) -> None:
    """A job may use what is there."""
    versions = Versions(tmp_path)
    a_version(tmp_path, __version__, build="a")
    source = a_version(tmp_path, PACKAGE, build="b")

    assert making.make_from_built(versions, source) == f"{__version__}-2"


def test_a_failure_leaves_nothing(mocker: MockerFixture, tmp_path: Path) -> None:
    """pip fails: the directory is gone, and the version that is there stays."""
    a_version(tmp_path, __version__)
    mocker.patch.object(venv, "create", side_effect=lambda path, **_: path.mkdir(exist_ok=True))
    failure = subprocess.CalledProcessError(1, "pip")
    mocker.patch.object(subprocess, "run", side_effect=failure)
    clone = making.clone()
    assert clone

    with pytest.raises(subprocess.CalledProcessError):
        making.make_from_clone(Versions(tmp_path), clone, None)

    assert [each.name for each in tmp_path.iterdir()] == [__version__]


@pytest.mark.parametrize(
    ("wheels", "words"), [(None, []), ("/wheels", ["--no-index", "--find-links", "/wheels"])]
)
def test_where_wheels_come_from(
    mocker: MockerFixture, tmp_path: Path, wheels: str | None, words: list[str]
) -> None:
    """With a directory of wheels, pip asks no network; else it looks where it always does."""
    mocker.patch.object(venv, "create", side_effect=lambda path, **_: path.mkdir(exist_ok=True))
    run = mocker.patch.object(subprocess, "run")
    clone = making.clone()
    assert clone

    making.make_from_clone(Versions(tmp_path), clone, Path(wheels) if wheels else None)

    command = run.call_args_list[0].args[0]
    assert [each for each in command if each in {"--no-index", "--find-links", "/wheels"}] == words


def test_a_clone_is_no_built_version() -> None:
    """This process runs from one."""
    assert making.built_version() is None
    assert making.clone() == Path(__file__).parents[3]

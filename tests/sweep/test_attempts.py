"""A job whose named directories are gone may have another one."""

import os
from pathlib import Path

from pytest_mock import MockerFixture

from executor.sweep import files
from executor.sweep.attempts import directories_elsewhere
from executor.sweep.jobs import put_together
from executor.sweep.verdict import Directories
from tests.sweep.left import (
    KEY,
    OTHER,
    attempt,
    belonging,
    dead_owner,
    living,
    objects_of,
    owner_of,
)


def test_another_attempt_is_found_by_its_note(tmp_path: Path) -> None:
    """Beside the directory that is gone lies one whose note names the same job; another job's is none."""
    with living() as process:
        owner = owner_of(process.pid)
        said = belonging(owner, temp_dir=f"{tmp_path}/custom-executor1")
        (found,) = put_together(objects_of(said))
        attempt(tmp_path, 2, belonging(owner, OTHER).labels())
        before = directories_elsewhere(found, owner)
        attempt(tmp_path, 3, belonging(owner, KEY).labels())
        after = directories_elsewhere(found, owner)

    assert (before, after) == (Directories.GONE, Directories.THERE)


def test_the_directories_of_another_user_are_none(tmp_path: Path) -> None:
    """Somebody else on the host cannot keep a job's objects alive by a note."""
    with living() as process:
        owner = owner_of(process.pid)
        said = belonging(owner, temp_dir=f"{tmp_path}/custom-executor1")
        (found,) = put_together(objects_of(said))
        os.chown(attempt(tmp_path, 2, said.labels()), 12345, 12345)

        assert directories_elsewhere(found, owner) is Directories.GONE


def test_a_directory_without_a_note_may_be_the_job_s(tmp_path: Path) -> None:
    """A full disk leaves an attempt without a note; one of another job, and a file, say so."""
    with living() as process:
        owner = owner_of(process.pid)
        (found,) = put_together(
            objects_of(belonging(owner, temp_dir=f"{tmp_path}/custom-executor1"))
        )
        (tmp_path / "custom-executor7").touch()
        place = tmp_path / "custom-executor8"
        place.mkdir(mode=0o700)
        bare = directories_elsewhere(found, owner)
        payload = place / "response.json"
        payload.write_text('{"id": 17}')
        same = directories_elsewhere(found, owner)
        payload.write_text('{"id": 18}')
        other = directories_elsewhere(found, owner)
        payload.write_text("[")
        broken = directories_elsewhere(found, owner)

    assert (bare, same, other, broken) == (
        Directories.UNKNOWN,
        Directories.UNKNOWN,
        Directories.GONE,
        Directories.UNKNOWN,
    )


def test_a_list_that_is_cut_off_tells_nothing(tmp_path: Path, mocker: MockerFixture) -> None:
    """Where the host's /tmp is fuller than is looked at, no directory of the job is called gone."""
    mocker.patch.object(files, "_MOST_LISTED", 2)
    with living() as process:
        owner = owner_of(process.pid)
        (found,) = put_together(
            objects_of(belonging(owner, temp_dir=f"{tmp_path}/custom-executor1"))
        )
        for name in "ab":
            (tmp_path / name).touch()
        whole = directories_elsewhere(found, owner)
        (tmp_path / "c").touch()
        cut = directories_elsewhere(found, owner)

    assert (whole, cut) == (Directories.GONE, Directories.UNKNOWN)


def test_what_may_not_be_looked_at_is_not_known(tmp_path: Path) -> None:
    """A directory above that is not there, or an owner that ended meanwhile, tells nothing."""
    (missing,) = put_together(
        objects_of(belonging(None, temp_dir=f"{tmp_path}/no/custom-executor1"))
    )
    (found,) = put_together(objects_of(belonging(None, temp_dir=f"{tmp_path}/custom-executor1")))
    with living() as process:
        assert directories_elsewhere(missing, owner_of(process.pid)) is Directories.UNKNOWN
    assert directories_elsewhere(found, dead_owner()) is Directories.UNKNOWN

"""A job whose named directories are gone may have another one."""

import os
from pathlib import Path

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


def test_what_may_not_be_looked_at_is_not_known(tmp_path: Path) -> None:
    """A directory above that is not there, or an owner that ended meanwhile, tells nothing."""
    (missing,) = put_together(
        objects_of(belonging(None, temp_dir=f"{tmp_path}/no/custom-executor1"))
    )
    (found,) = put_together(objects_of(belonging(None, temp_dir=f"{tmp_path}/custom-executor1")))
    with living() as process:
        assert directories_elsewhere(missing, owner_of(process.pid)) is Directories.UNKNOWN
    assert directories_elsewhere(found, dead_owner()) is Directories.UNKNOWN

"""Files below another root, and who may do what to them."""

import os
from pathlib import Path

import pytest

from executor.commands.doctor.files import Files, User


def test_files_are_those_below_the_root(tmp_path: Path) -> None:
    """A path of the host is read below its root, and what is not there is empty."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/number").write_text("42\n")
    files = Files(f"{tmp_path}/")

    assert files.number("/etc/number") == 42
    assert files.text("/etc/none") == ""
    assert files.names("/etc") == ["number"]
    assert not files.is_own
    assert Files("/").is_own


@pytest.mark.parametrize(
    ("mode", "uid", "groups", "wanted", "may"),
    [
        (0o600, "own", (), 6, True),
        (0o600, "other", (), 4, False),
        (0o640, "other", ("own",), 4, True),
        (0o640, "other", ("own",), 6, False),
        (0o604, "other", (), 4, True),
        (0o604, "other", ("own",), 4, False),
        (0o000, "root", (), 6, True),
    ],
)
def test_a_user_may_what_the_mode_says(
    tmp_path: Path, mode: int, uid: str, groups: tuple[str, ...], wanted: int, *, may: bool
) -> None:
    """Owner, group and others are told apart as the kernel does: the first that fits decides."""
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    found = os.stat_result((*path.stat()[:4], 995, 994, *path.stat()[6:]))
    user = User(uid, {"own": 995, "root": 0}.get(uid, 1), frozenset(994 for _ in groups))

    assert user.may(found, wanted) is may


def test_a_closed_directory_is_in_the_way(tmp_path: Path) -> None:
    """The first directory that lets the user not through is named."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    user = User("other", os.geteuid() + 1, frozenset())

    assert user.hindrance(Files(str(tmp_path)), "/a/b", 4).startswith("/a (owner")

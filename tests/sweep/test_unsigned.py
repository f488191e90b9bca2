"""Directories of jobs without a note of their owner: what is read of them, and which are left alone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from executor.names import DEADLINE_LABEL, GITLAB_LABEL, JOB_ID_LABEL, LABEL, job_key
from executor.notation.owner import AFTER_TIMEOUT_SECONDS, Belonging
from executor.runner import notes
from executor.sweep import unsigned
from executor.sweep.files import LeftDirectory, find_left, read_payload, remove_left
from executor.sweep.makers import Maker, Unseen
from executor.sweep.payload import LeftPayload
from executor.sweep.unsigned import with_what_is_known
from tests.sweep.samples import TOKEN, leave, left_payload, payload

MINE = (os.getuid(),)
GITLAB = "https://gitlab.example.com"


def a_directory(parent: Path, content: bytes | None, name: str = "custom-executor7") -> Path:
    directory = parent / name
    directory.mkdir(mode=0o700)
    if content is not None:
        (directory / "response.json").write_bytes(content)
    return directory


def found(parent: Path) -> LeftDirectory:
    (left,) = find_left(str(parent), "", MINE)
    return left


def text(**more: Any) -> bytes:
    return json.dumps(payload(GITLAB, **more)).encode()


# --- what it says --------------------------------------------------------------------------------


def test_the_payload_says_which_job_it_is(tmp_path: Path) -> None:
    """The key is that of the job's objects and notes, so that all that is left of it is one job's."""
    directory = a_directory(tmp_path, text(runner_info={"timeout": 600}))
    os.utime(directory, (1_000_000.0, 1_000_000.0))

    left = found(tmp_path)

    origin = f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/group/project.git"
    assert not left.is_signed
    assert left.facts[LABEL] == job_key(17, TOKEN, origin)
    assert (left.facts[JOB_ID_LABEL], left.facts[GITLAB_LABEL]) == ("17", GITLAB)
    assert left.facts[DEADLINE_LABEL] == str(1_000_000 + 600 + AFTER_TIMEOUT_SECONDS)
    assert read_payload(left).token == TOKEN


PARTS = {
    "no payload": None,
    "an empty one": b"",
    "half of one": text()[:-20],
    "no JSON": b"\xff",
    "no job": b"[]",
    "deep": b"[" * 100_000,
    "no id": text(id=0),
    "gitlab-runner's own job": text(git_info={}),
    "half a character": text(token="\ud800"),
}


@pytest.mark.parametrize("content", PARTS.values(), ids=PARTS)
def test_what_is_no_payload_is_a_directory_all_the_same(
    tmp_path: Path, content: bytes | None
) -> None:
    """gitlab-runner may die before it has written the payload: nobody can name the job."""
    directory = a_directory(tmp_path, content)

    left = found(tmp_path)

    assert (left.is_signed, left.facts[LABEL]) == (False, directory.name)
    assert JOB_ID_LABEL not in left.facts
    assert remove_left(left) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"\xff"])
def test_a_note_that_lost_its_content(tmp_path: Path, note: bytes) -> None:
    """A host that loses its power may leave an empty note: its directory is judged as one without."""
    directory = leave(tmp_path, content=payload(GITLAB))
    (directory / notes.OWNER).write_bytes(note)
    left = find_left(str(tmp_path), "", MINE)

    if note == b"[]":
        assert left == []
        return
    assert [each.is_signed for each in left] == [False]
    assert left[0].facts[JOB_ID_LABEL] == "17"


def test_a_note_that_found_no_room(tmp_path: Path) -> None:
    """A note that was being written when its config was killed says nothing."""
    directory = a_directory(tmp_path, text())
    (directory / f"{notes.OWNER}.new").write_bytes(b"{")

    assert not found(tmp_path).is_signed


# --- what is left alone --------------------------------------------------------------------------


def test_another_custom_executors(tmp_path: Path) -> None:
    """What stages of another one have left is that one's business."""
    directory = a_directory(tmp_path, text())
    (directory / "script123").mkdir()

    assert find_left(str(tmp_path), "", MINE) == []

    (directory / notes.MADE).touch()
    assert not found(tmp_path).is_signed


def test_other_names_and_users(tmp_path: Path) -> None:
    """Everybody may make a directory in /tmp; and a killed `dind-executor local` is no gitlab-runner."""
    for name in ("custom-executor", "custom-executor-1x", "custom-executorX1", "custom-executor1x"):
        a_directory(tmp_path, text(), name)
    a_directory(tmp_path, text(), "custom-executor1").chmod(0o770)
    a_directory(tmp_path, text(), "custom-executor2")
    os.chown(tmp_path / "custom-executor2", 12345, 12345)
    (tmp_path / "custom-executor3").symlink_to(tmp_path / "custom-executor")

    assert find_left(str(tmp_path), "", MINE) == []


def test_a_payload_of_somebody_else(tmp_path: Path) -> None:
    """A link leads to no job, and a payload of any size is none."""
    (tmp_path / "elsewhere").write_bytes(text())
    directory = a_directory(tmp_path, None)
    (directory / "response.json").symlink_to(tmp_path / "elsewhere")
    assert JOB_ID_LABEL not in found(tmp_path).facts

    (directory / "response.json").unlink()
    with (directory / "response.json").open("wb") as file:
        file.truncate(100 << 20)
    assert JOB_ID_LABEL not in found(tmp_path).facts


# --- how its GitLab is known ---------------------------------------------------------------------


def an_own_directory(parent: Path, gitlab: str) -> Path:
    own = a_directory(parent, None, "custom-executor1")
    said = Belonging("18-0123456789", "18", "3", None, gitlab=gitlab)
    for name, content in (
        (notes.OWNER, said.note()),
        (notes.AUTHORITIES, b"PEM"),
        (notes.SYSTEM_ID, b"s_own"),
    ):
        notes.leave(str(own), name, content)
    return own


def known(left: LeftDirectory, own: str) -> LeftPayload:
    return with_what_is_known(left_payload(GITLAB, "its own"), left, own)


def test_what_the_job_that_looks_knows(tmp_path: Path) -> None:
    """The notes of the same GitLab count: its certificates, and the id of this host's gitlab-runner."""
    own = an_own_directory(tmp_path, GITLAB)
    a_directory(tmp_path, text())
    (left,) = find_left(str(tmp_path), str(own), MINE)

    payload = known(left, str(own))

    assert (payload.authorities, payload.system_id) == ("PEM", "s_own")
    assert not payload.is_signed


def test_another_gitlabs_authorities_are_not_lent(tmp_path: Path, mocker: MockerFixture) -> None:
    """Who may sign for one GitLab may not for another one."""
    mocker.patch.object(unsigned, "_CONFIG", f"{tmp_path}/config.toml")
    mocker.patch("executor.sweep.makers.makers", side_effect=Unseen)
    own = an_own_directory(tmp_path, "https://other.example.com")
    a_directory(tmp_path, text())
    (left,) = find_left(str(tmp_path), str(own), MINE)

    payload = known(left, str(own))

    assert (payload.authorities, payload.system_id, payload.is_signed) == ("its own", "", False)


def test_the_id_of_a_gitlab_runner_that_lives(tmp_path: Path, mocker: MockerFixture) -> None:
    """Where no job looks, the one that took the dead one's place tells; else the usual file does."""
    (tmp_path / ".runner_system_id").write_text("s_usual")
    mocker.patch.object(unsigned, "_CONFIG", f"{tmp_path}/config.toml")
    living = mocker.patch("executor.sweep.makers.makers", return_value=[])
    a_directory(tmp_path, text())
    left = found(tmp_path)

    assert known(left, "").system_id == "s_usual"

    living.return_value = [Maker(os.getpid(), 1, frozenset(), (1, 1))]
    mocker.patch.object(unsigned, "runner_system_id", side_effect=lambda pid, _: f"s_{pid}")
    assert known(left, "").system_id == f"s_{os.getpid()}"

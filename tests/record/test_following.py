"""Following the spool: each record once, whatever happens to its files meanwhile."""

import json
import os
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.record import spool
from executor.record.following import Follower


def line(number: int) -> bytes:
    return json.dumps({"v": 1, "n": number}).encode() + b"\n"


def append(directory: Path, *numbers: int) -> None:
    for each in numbers:
        spool.append(str(directory), line(each))


def new(follower: Follower, directory: Path) -> list[object]:
    return [each["n"] for each in follower.new(str(directory))]


@pytest.fixture
def small(mocker: MockerFixture) -> None:
    """Let a file of the spool be full after five lines or so."""
    mocker.patch.object(spool, "MOST_BYTES", 80)


def test_each_record_once(tmp_path: Path) -> None:
    """What was read is not read again."""
    follower = Follower()
    append(tmp_path, 1, 2)
    assert new(follower, tmp_path) == [1, 2]
    append(tmp_path, 3)

    assert new(follower, tmp_path) == [3]
    assert new(follower, tmp_path) == []


@pytest.mark.usefixtures("small")
def test_files_that_are_put_aside(tmp_path: Path) -> None:
    """Whatever is read between two of them, each record comes once and in order."""
    follower = Follower()
    found = []
    for each in range(50):
        append(tmp_path, each)
        if each % 3 == 0:
            found += new(follower, tmp_path)
    found += new(follower, tmp_path)

    assert (found, follower.gaps) == (list(range(50)), 0)


@pytest.mark.usefixtures("small")
def test_files_that_were_gone_before_they_were_read(tmp_path: Path) -> None:
    """It is counted that something is missing, and the rest is read."""
    follower = Follower()
    append(tmp_path, 0)
    assert new(follower, tmp_path) == [0]
    append(tmp_path, *range(1, 50))

    found = new(follower, tmp_path)

    assert (follower.gaps, found[-1]) == (1, 49)
    assert found == list(range(50 - len(found), 50))


def test_what_a_late_stage_appends_to_the_old_file(tmp_path: Path) -> None:
    """It had the file open when another stage put it aside."""
    follower = Follower()
    append(tmp_path, 1)
    assert new(follower, tmp_path) == [1]
    late = (tmp_path / "events.jsonl").open("ab")
    (tmp_path / "events.jsonl").rename(tmp_path / "events.1.jsonl")
    append(tmp_path, 2)
    assert new(follower, tmp_path) == [2]
    with late:
        late.write(line(3))

    assert (new(follower, tmp_path), follower.gaps) == ([3], 0)


def test_a_number_of_a_file_that_comes_again(tmp_path: Path) -> None:
    """A new file is read from its beginning, whatever its inode was before."""
    follower = Follower()
    append(tmp_path, 1, 2, 3)
    assert new(follower, tmp_path) == [1, 2, 3]
    path = tmp_path / "events.jsonl"
    inode = path.stat().st_ino
    path.write_bytes(line(4) + line(5) + line(6) + line(7))

    assert path.stat().st_ino == inode
    assert (new(follower, tmp_path), follower.gaps) == ([4, 5, 6, 7], 1)


def test_a_line_that_is_being_written(tmp_path: Path) -> None:
    """It is read when it is whole."""
    follower = Follower()
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(1) + line(2)[:5])
    assert new(follower, tmp_path) == [1]
    path.write_bytes(line(1) + line(2))

    assert (new(follower, tmp_path), follower.bad_lines) == ([2], 0)


def test_a_first_line_that_is_being_written(tmp_path: Path) -> None:
    """Until it is whole, there is no file."""
    follower = Follower()
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(1)[:5])
    assert new(follower, tmp_path) == []
    path.write_bytes(line(1))

    assert (new(follower, tmp_path), follower.gaps) == ([1], 0)


@pytest.mark.parametrize(
    "bad",
    [b"{\n", b'{"v":2,"n":9}\n', b"[1]\n", b"\xff\xfe\n", b"x" * 70000 + b"\n", b"[" * 60000 + b"\n"],
)  # fmt: skip
def test_lines_that_are_no_records(tmp_path: Path, bad: bytes) -> None:
    """They are counted and passed over; empty ones mean nothing."""
    follower = Follower()
    (tmp_path / "events.jsonl").write_bytes(line(1) + bad + b"\n" + line(2))

    assert new(follower, tmp_path) == [1, 2]
    assert follower.bad_lines >= 1


def test_lines_that_a_crash_has_taken(tmp_path: Path) -> None:
    """What had been read of them counts, and what comes then is new."""
    follower = Follower()
    append(tmp_path, 1, 2, 3)
    assert new(follower, tmp_path) == [1, 2, 3]
    os.truncate(tmp_path / "events.jsonl", len(line(1)))
    assert new(follower, tmp_path) == []
    append(tmp_path, 4, 5)

    assert new(follower, tmp_path) == [4, 5]


def test_another_process_goes_on(tmp_path: Path) -> None:
    """What has been read is a few numbers."""
    follower = Follower()
    append(tmp_path, 1)
    assert new(follower, tmp_path) == [1]
    append(tmp_path, 2)

    later = Follower.from_json(json.loads(json.dumps(follower.as_json())))

    assert new(later, tmp_path) == [2]


@pytest.mark.parametrize("said", [None, {}, [1], [["a"]], [["a", "b"]]])
def test_places_that_are_none(said: object) -> None:
    """Whoever reads them begins anew then."""
    with pytest.raises((TypeError, ValueError)):
        Follower.from_json(said)


def test_what_is_there_may_be_passed_over(tmp_path: Path) -> None:
    """Only what comes then is new."""
    follower = Follower()
    append(tmp_path, 1, 2)
    follower.skip(str(tmp_path))
    append(tmp_path, 3)

    assert new(follower, tmp_path) == [3]


def test_a_spool_that_is_not_there(tmp_path: Path) -> None:
    """No job has run yet."""
    assert new(Follower(), tmp_path / "spool") == []


def test_something_else_in_its_place(tmp_path: Path) -> None:
    """No link is followed, and no pipe is waited for."""
    (tmp_path / "events.jsonl").symlink_to("/etc/passwd")

    with pytest.raises(OSError, match="links"):
        new(Follower(), tmp_path)

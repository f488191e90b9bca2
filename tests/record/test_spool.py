"""The spool: whole lines of many writers, within bounds, whatever is in the way."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.record import spool
from executor.record.spool import append, records
from tests.rig.paths import SOURCES

LINE = b'{"v":1,"job":1,"x":"%s"}\n'


@pytest.fixture
def small(mocker: MockerFixture) -> int:
    """Let a file of the spool be full after some lines; return its bytes."""
    mocker.patch.object(spool, "MOST_BYTES", 1000)
    mocker.patch.object(spool, "_FAR_TOO_MANY_BYTES", 2000)
    return 1000


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def names_in(directory: Path) -> list[str]:
    """Return the names of what a directory has, in order."""
    return sorted(each.name for each in directory.iterdir())


def append_often(directory: Path) -> None:
    """Append more lines than two files may hold."""
    for _ in range(100):
        append(str(directory), LINE % (b"x" * 80))


def fill(path: Path) -> None:
    """Write to a file until its disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 (the way to know that it is full)


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    """In order, of one job or of all."""
    for job in (1, 12, 2, 1):
        append(str(tmp_path / "spool"), b'{"v":1,"job":%d,"x":0}\n' % job)

    assert [each["job"] for each in records(str(tmp_path / "spool"))] == [1, 12, 2, 1]
    assert len(list(records(str(tmp_path / "spool"), job=1))) == 2


def test_nothing_was_ever_appended(tmp_path: Path) -> None:
    """An empty spool has no record, and where there is no spool at all the reader hears of it."""
    assert list(records(str(tmp_path))) == []
    with pytest.raises(FileNotFoundError):
        list(records(str(tmp_path / "none")))


WRITER = """\
import sys
from executor.record import spool
spool.MOST_BYTES, spool._FAR_TOO_MANY_BYTES = {most}, 1 << 30
for number in range({lines}):
    text = '{{"v":1,"job":%s,"x":%d,"filler":"%s"}}' % (sys.argv[1], number, "y" * 500)
    spool.append({directory!r}, text.encode() + b"\\n")
"""


@pytest.mark.parametrize("most", [1 << 24, 50_000])
def test_many_write_at_once(tmp_path: Path, most: int) -> None:
    """No line is torn, none comes twice, and none is lost but with the file before the last one."""
    program = WRITER.format(most=most, lines=200, directory=str(tmp_path / "spool"))
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(job)], cwd=SOURCES.parent.parent)
        for job in range(8)
    ]
    assert [each.wait(60) for each in writers] == [0] * 8

    lines = b"".join(each.read_bytes() for each in sorted((tmp_path / "spool").iterdir()))
    # a line may seem torn to the next writer while it is written: an empty one comes behind it
    found = [json.loads(each) for each in lines.splitlines() if each]
    seen = [(each["job"], each["x"]) for each in found]

    assert len(set(seen)) == len(seen)
    if most > 1_000_000:
        assert len(seen) == 1600
    else:
        assert names_in(tmp_path / "spool") == ["events.1.jsonl", "events.jsonl"]
        # nobody has put aside a file that was not full
        assert (tmp_path / "spool" / "events.1.jsonl").stat().st_size >= most
        assert all(
            [x for j, x in seen if j == job] == sorted({x for j, x in seen if j == job})
            for job in range(8)
        )


def test_a_full_file_becomes_the_old_one(tmp_path: Path, small: int) -> None:
    """The one before goes, and there are never more than two."""
    for number in range(30):
        append(str(tmp_path), LINE % (b"%03d" % number * 30))

    names = names_in(tmp_path)
    assert names == ["events.1.jsonl", "events.jsonl"]
    assert all((tmp_path / each).stat().st_size < small + 200 for each in names)
    found = [str(each["x"])[:3] for each in records(str(tmp_path))]
    assert found == [f"{number:03d}" for number in range(30 - len(found), 30)]


def test_a_file_that_another_puts_aside_is_filled_a_little_more(
    tmp_path: Path, small: int, mocker: MockerFixture
) -> None:
    """Nobody waits for a lock, and a lock that is never given back does not fill the disk."""
    mocker.patch("fcntl.flock", side_effect=BlockingIOError)

    with pytest.raises(OSError, match="too large"):
        append_often(tmp_path)

    assert names_in(tmp_path) == ["events.jsonl"]
    assert (tmp_path / "events.jsonl").stat().st_size < 2 * small + 200


def test_the_file_is_put_aside_once(tmp_path: Path, small: int) -> None:
    """Who finds it full and comes late takes the new one, and does not put that aside too."""
    (tmp_path / "events.jsonl").write_bytes(b"x" * small)
    inside = os.open(tmp_path, os.O_RDONLY)
    full = os.open(tmp_path / "events.jsonl", os.O_RDONLY)
    append(str(tmp_path), LINE % b"new")

    assert spool._put_aside(inside, full)

    os.close(full)
    os.close(inside)
    assert (tmp_path / "events.1.jsonl").stat().st_size == small
    assert [each["x"] for each in records(str(tmp_path))] == ["new"]


def test_a_torn_line_takes_no_other_with_it(tmp_path: Path) -> None:
    """The next record begins a line of its own."""
    (tmp_path / "events.jsonl").write_bytes(LINE % b"1" + b'{"v":1,"jo')

    append(str(tmp_path), LINE % b"2")

    assert [each["x"] for each in records(str(tmp_path))] == ["1", "2"]


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"[1]",
        b'{"v":2,"job":1}',
        b'{"job":1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"v":1,"x":"' + b"y" * 100_000 + b'"}',
    ],
)
def test_a_line_that_is_not_ours_is_passed_over(tmp_path: Path, line: bytes) -> None:
    """Torn, of a later version, or anybody's."""
    (tmp_path / "events.jsonl").write_bytes(line + b"\n" + LINE % b"ours")

    assert [each["x"] for each in records(str(tmp_path))] == ["ours"]


def test_a_full_disk_is_an_error_and_leaves_whole_lines(tiny_disk: Path) -> None:
    """Of what did not fit, and of what came when there was room again, nothing is mixed up."""
    place = tiny_disk / "spool"
    append(str(place), LINE % b"first")
    fill(tiny_disk / "rest")
    with pytest.raises(OSError, match="No space"):
        append(str(place), LINE % (b"y" * 8000))
    (tiny_disk / "rest").unlink()
    append(str(place), LINE % b"last")

    assert [each["x"] for each in records(str(place))] == ["first", "last"]


def test_a_read_only_place_is_an_error(tmp_path: Path) -> None:
    """Nothing is made of it, and nothing changed."""
    place = tmp_path / "spool"
    append(str(place), LINE % b"first")
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        with pytest.raises(OSError, match="Read-only"):
            append(str(place), LINE % b"second")
    finally:
        subprocess.run(["umount", place], check=True)

    assert [each["x"] for each in records(str(place))] == ["first"]


def test_nothing_is_read_or_written_through_a_link(tmp_path: Path) -> None:
    """A stage may run as root, and whoever owns the state directory must not lead it elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "events.jsonl"
    target.write_bytes(b"precious\n")
    (tmp_path / "linked").symlink_to(elsewhere)
    for name, make in (("soft", os.symlink), ("hard", os.link)):
        (tmp_path / name).mkdir()
        make(target, tmp_path / name / "events.jsonl")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "events.jsonl")

    for name in ("soft", "pipe"):
        with pytest.raises(OSError, match=r"level|something else"):
            list(records(str(tmp_path / name)))
    for name in ("linked", "soft", "hard", "pipe"):
        with pytest.raises(OSError, match=r"directory|level|permitted|address|something else"):
            append(str(tmp_path / name), LINE % b"x")

    assert target.read_bytes() == b"precious\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_what_root_makes_belongs_to_the_owner_of_the_state_directory(tmp_path: Path) -> None:
    """gitlab-runner's user goes on to write there."""
    os.chown(tmp_path, 1234, 4321)

    append(str(tmp_path / "spool"), LINE % b"x")

    for each in (tmp_path / "spool", tmp_path / "spool" / "events.jsonl"):
        found = each.stat()
        assert (found.st_uid, found.st_gid) == (1234, 4321)

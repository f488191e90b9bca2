"""How jobs tell each other what they have written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.disk.limits import Ending, Written
from executor.disk.meeting import Meeting

DEVICE = 2049


def written(key: str, size: int = 5) -> Written:
    """Return what a job says."""
    return Written(key, DEVICE, size, 7, 12.5, 100, 200)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Meeting, Meeting]]:
    """Return what two jobs meet with."""
    both = Meeting(f"{tmp_path}/m", "1-a"), Meeting(f"{tmp_path}/m", "2-b")
    yield both
    for each in both:
        each.close()


def test_what_one_says_the_other_hears(two: tuple[Meeting, Meeting]) -> None:
    """The last word counts, and nobody hears oneself."""
    one, other = two
    one.tell(written("1-a", 500_000))
    one.tell(written("1-a", 6))

    assert other.others() == (written("1-a", 6),)
    assert one.others() == ()


def test_who_has_left_is_not_heard(two: tuple[Meeting, Meeting], tmp_path: Path) -> None:
    """Nothing stays of a job that has left."""
    one, other = two
    gone = Meeting(f"{tmp_path}/m", "3-c")
    gone.tell(written("3-c"))
    gone.close()
    one.tell(written("1-a"))

    assert other.others() == (written("1-a"),)
    assert len(list((tmp_path / "m").iterdir())) == 1


def test_who_leaves_while_at_it(two: tuple[Meeting, Meeting], tmp_path: Path) -> None:
    """What is said afterwards is heard by nobody, and nothing stays."""
    one, other = two
    one.tell(written("1-a"))
    one.leave()
    one.tell(written("1-a", 6))

    assert other.others() == ()
    assert list((tmp_path / "m").iterdir()) == []


def test_who_was_killed_is_not_heard(two: tuple[Meeting, Meeting], tmp_path: Path) -> None:
    """The kernel lets go of a dead job's file, and whoever looks removes it."""
    pid = os.fork()
    if not pid:
        Meeting(f"{tmp_path}/m", "3-c").tell(written("3-c"))
        os._exit(0)
    os.waitpid(pid, 0)
    assert list((tmp_path / "m").iterdir())

    assert two[0].others() == ()
    assert list((tmp_path / "m").iterdir()) == []


def test_another_stage_of_the_same_job(tmp_path: Path) -> None:
    """While one holds the job's file, another one cannot say anything."""
    one, other = (Meeting(f"{tmp_path}/m", "1-a") for _ in range(2))
    one.tell(written("1-a"))

    with pytest.raises(OSError, match="unavailable"):
        other.tell(written("1-a"))
    one.close()
    other.close()


@pytest.mark.parametrize(("mode", "owner"), [(0o777, 0), (0o700, 12345)])
def test_a_directory_of_others(tmp_path: Path, mode: int, owner: int) -> None:
    """Whoever may write there could have any job ended, or none."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m").chmod(mode)
    os.chown(tmp_path / "m", owner, owner)

    with pytest.raises(OSError, match="others than root may write"):
        Meeting(f"{tmp_path}/m", "1-a")


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '["1-a", "x", 1, 1, 1, 1, 1]', "[" * 4000])
def test_words_that_are_none(two: tuple[Meeting, Meeting], tmp_path: Path, text: str) -> None:
    """What is not what a job writes is not heard."""
    one, other = two
    one.tell(written("1-a"))
    (tmp_path / "m" / "writes-1-a.json").write_text(text)

    assert other.others() == ()


def test_one_holds_the_lock(two: tuple[Meeting, Meeting]) -> None:
    """The other one gets nothing until it is free, and then knows who ended; disks have their own."""
    one, other = two
    held = one.hold(DEVICE)
    assert one.last_ending(held) is None
    assert other.hold(DEVICE) == -1
    one.end(held, Ending("1-a", 3.5))
    os.close(held)

    held = other.hold(DEVICE)

    assert other.last_ending(held) == Ending("1-a", 3.5)
    elsewhere = one.hold(DEVICE + 1)
    assert one.last_ending(elsewhere) is None
    os.close(elsewhere)
    os.close(held)


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    """Nobody meets there; a link is not followed."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("/tmp")

    for each in ("file", "link", "no/where"):
        with pytest.raises(OSError, match=r"directory|link|file"):
            Meeting(f"{tmp_path}/{each}", "1-a")

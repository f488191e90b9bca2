"""Who used what when."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from executor.budgets.records import ImageRecord, Records
from tests.budgets.shelf import DAY, image_id

FIRST, SECOND = image_id(1), image_id(2)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(str(tmp_path), "unix:///engine")


def file_of(directory: Path, name: str) -> Path:
    (found,) = directory.glob(f"used-*/*{name}")
    return found


def test_a_use_is_remembered(records: Records, tmp_path: Path) -> None:
    """A second use makes it younger."""
    records.volumes_used(["a", "b"])
    os.utime(file_of(tmp_path, "-a"), (10, 10))
    os.utime(file_of(tmp_path, "-b"), (10, 10))

    records.volumes_used(["b"])

    known = records.known().volumes
    assert known["a"] == 10
    assert abs(known["b"] - time.time()) < 60


def test_each_engine_has_its_own(records: Records, tmp_path: Path) -> None:
    """Two engines may have volumes of one name."""
    records.volumes_used(["a"])

    assert Records(str(tmp_path), "tcp://other:2376").known().volumes == {}


def test_an_image_that_came(records: Records) -> None:
    """Its names and the setting that chose it are known, whatever number of names it has."""
    records.image_came(FIRST, "a:1", "", "")
    records.image_came(FIRST, "b:1", "[dind] image", "")

    (record,) = records.known().images.values()

    assert record[1:] == (("a:1", "b:1"), "[dind] image")


def test_an_image_that_no_job_brought_has_no_record(records: Records) -> None:
    """To use it makes none."""
    records.image_used(FIRST)
    records.image_used("no id at all/../..")

    assert records.known().images == {}


def test_a_name_that_was_a_jobs_stays_a_jobs(records: Records) -> None:
    """An image in place of one that a job brought is recorded, one in place of another is not."""
    records.image_came(FIRST, "a:1", "", "")
    records.image_came(SECOND, "a:1", "", FIRST)
    records.image_came(image_id(3), "b:1", "", image_id(4))
    records.image_came(image_id(5), "c:1", "", image_id(5))

    assert set(records.known().images) == {FIRST, SECOND}


def test_without_a_directory_nothing_is_remembered(tmp_path: Path) -> None:
    """No job fails for that."""
    for place in ("", str(tmp_path / "missing")):
        records = Records(place, "unix:///engine")
        records.volumes_used(["a"])
        records.image_came(FIRST, "a:1", "", "")
        records.image_used(FIRST)
        records.forget("a")
        records.forget_all_but([], [])

        assert records.known() == ({}, {})


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"names": 3, "chosen_by": ""}', b'{"names": []}', b"\xff"]
)
def test_a_record_that_is_none(records: Records, tmp_path: Path, content: bytes) -> None:
    """The image then counts as one that no job pulled."""
    records.image_came(FIRST, "a:1", "", "")
    file_of(tmp_path, FIRST[7:]).write_bytes(content)

    assert records.known().images == {}


def test_what_is_no_file_of_ours(records: Records, tmp_path: Path) -> None:
    """A link and a pipe of such a name are passed over."""
    records.volumes_used(["a"])
    place = file_of(tmp_path, "-a").parent
    (place / "image-link").symlink_to("/etc/passwd")
    os.mkfifo(place / "image-pipe")

    assert records.known().images == {}


def test_a_record_is_forgotten(records: Records) -> None:
    """That of a volume by its name, that of an image by its id."""
    records.volumes_used(["a", "b"])
    records.image_came(FIRST, "a:1", "", "")

    records.forget("a")
    records.forget(FIRST)
    records.forget("never was")

    known = records.known()
    assert (set(known.volumes), known.images) == ({"b"}, {})


def test_records_of_what_is_gone_go(records: Records, tmp_path: Path) -> None:
    """Unless they are of today: a job notes a volume before it makes it."""
    records.volumes_used(["there", "gone", "coming"])
    records.image_came(FIRST, "a:1", "", "")
    records.image_came(SECOND, "b:1", "", "")
    old = time.time() - 2 * DAY
    for name in ("-there", "-gone", FIRST[7:], SECOND[7:]):
        os.utime(file_of(tmp_path, name), (old, old))

    records.forget_all_but(["there"], [FIRST])

    known = records.known()
    assert set(known.volumes) == {"there", "coming"}
    assert set(known.images) == {FIRST}


def test_a_link_in_place_of_the_directory(records: Records, tmp_path: Path) -> None:
    """gitlab-runner's user may put one there: root neither writes nor removes what is behind it."""
    records.volumes_used(["a"])
    place = file_of(tmp_path, "-a").parent
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    old = time.time() - 2 * DAY
    os.utime(elsewhere / "volume-a", (old, old))

    records.forget_all_but([], [])
    records.forget("a")
    records.volumes_used(["b"])

    assert [each.name for each in elsewhere.iterdir()] == ["volume-a"]


def test_many_jobs_note_at_once(records: Records) -> None:
    """Nothing is lost, and nobody reads a part of a record."""

    def note(number: int) -> ImageRecord | None:
        records.volumes_used([f"v{number}"])
        records.image_came(FIRST, "a:1", "", "")
        return records.known().images.get(FIRST)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(note, range(200)))

    assert len(records.known().volumes) == 200
    assert {each.names for each in found if each} == {("a:1",)}


def test_root_leaves_records_to_the_directory_s_owner(records: Records, tmp_path: Path) -> None:
    """gitlab-runner's user writes them too."""
    os.chown(tmp_path, 12345, 54321)

    records.volumes_used(["a"])

    owners = {(each.stat().st_uid, each.stat().st_gid) for each in tmp_path.rglob("*")}
    assert owners == {(12345, 54321)}


def test_a_write_that_fails_leaves_nothing_behind(records: Records, tmp_path: Path) -> None:
    """Nothing else of this name changes either, such as a second link to another file."""
    records.volumes_used(["a"])
    place = file_of(tmp_path, "-a").parent
    (tmp_path / "victim").write_text("as it was")
    os.link(tmp_path / "victim", place / f".{os.getpid()}-volume-b")

    records.volumes_used(["b"])

    assert [each.name for each in place.iterdir()] == ["volume-a"]
    assert (tmp_path / "victim").read_text() == "as it was"

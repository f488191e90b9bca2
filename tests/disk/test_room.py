"""How room is looked for, and how it is said."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.disk.limits import BYTES, INODES, Limits
from executor.disk.room import (
    Low,
    Room,
    amount_text,
    is_looked_at,
    shortage,
)
from executor.engine.docker import Engine
from executor.host.disk import IMAGES, VOLUMES, Free, Place, all_free
from tests.builders import some_settings
from tests.engine.stub import http, stub_engine

GIB = 1 << 30


def test_an_amount() -> None:
    """Bytes are a size, inodes a number."""
    assert [amount_text(2048, each) for each in (BYTES, INODES)] == ["2 KiB", "2048 inodes"]


@pytest.mark.parametrize(
    ("text", "looked_at"),
    [("", True), ('floor = "0"', True), ("floor_inodes = 0", True), ('floor = "0"\nfloor_inodes = 0', False)],
)  # fmt: skip
def test_whether_anybody_looks(text: str, looked_at: object) -> None:
    """Without a floor of bytes and one of inodes nobody does."""
    assert is_looked_at(some_settings(f"[disk]\n{text}").disk) == looked_at


def test_a_shortage() -> None:
    """The sentence has what there is, what is wanted, and the keys that say so."""
    room = Room(Limits(GIB, GIB, 100), ())
    place = Place("/data", "/x", 1)

    assert shortage(room, Low(place, Free(GIB // 2, 7), BYTES)) == (
        "The disk of the Docker Engine's host is full: 512 MiB are free in /data, and a job begins"
        " with 2 GiB or more (`[disk] floor` and `headroom`)."
    )
    assert "7 inodes are free in /data, and a job begins with 200 or more" in shortage(
        room, Low(place, Free(GIB, 7), INODES)
    )


def test_the_room_of_an_engine(tmp_path: Path) -> None:
    """It is where the engine says, if the engine is on this host; what is low is told."""
    wanted = some_settings('[disk]\nfloor = "1p"\nheadroom = "1p"').disk
    with stub_engine(tmp_path) as stub:
        stub.on("GET", "/info", http(200, {"DockerRootDir": str(tmp_path), "Name": "x"}))
        engine = Engine.at(stub.host, "", tls_verify=False)

        # This process is no engine.
        assert not Room.at(engine, wanted).places
    place = Place(str(tmp_path), str(tmp_path), tmp_path.stat().st_dev)
    room = Room(Limits.of(wanted), (place,))
    assert [(each.place, each.what) for each in room.low()] == [(place, BYTES)]
    assert Room(Limits(1, 1, 0), (place,)).low() == []


def test_what_is_lacking_until_nothing_has_to_go(tmp_path: Path) -> None:
    """Two headrooms above the floor are enough; where nobody looks, or sees, nothing is lacking."""
    place = Place("/data", str(tmp_path), tmp_path.stat().st_dev, (IMAGES,))
    (_, free), *_ = all_free((place,))
    limits = Limits(free.bytes, GIB, 0)

    ((keeps, lacking),) = Room(limits, (place,)).lacking()

    assert keeps == (IMAGES,)
    assert abs(lacking - 2 * GIB) < GIB
    assert Room(limits, ()).lacking() == ()
    assert Room(Limits(0, GIB, 0), (place,)).lacking() == ()


@pytest.mark.parametrize(
    ("free", "size", "low", "scarce", "too_small"),
    [
        (4, 10, set(), set(), 0),
        (2.5, 10, set(), {IMAGES}, 0),
        (1.5, 10, {IMAGES}, {IMAGES}, 0),
        (1.5, 1.9, {IMAGES}, set(), 1),
    ],
)
def test_what_lies_where_room_is_lacking(
    mocker: MockerFixture,
    free: float,
    size: float,
    low: set[str],
    scarce: set[str],
    too_small: int,
) -> None:
    """What is kept on other disks does not matter, nor a disk on which room can never be."""
    place, other = Place("/data", "/x", 1, (IMAGES,)), Place("/gone", "/y", 2, (VOLUMES,))
    frees = [Free(int(free * GIB), None, int(size * GIB)), Free(9 * GIB, None, 10 * GIB)]
    found = list(zip((place, other), frees, strict=True))
    mocker.patch("executor.disk.room.all_free", return_value=found)

    room = Room(Limits(GIB, GIB, 0), (place, other))

    assert room.low_kinds() == low
    assert room.scarce_kinds() == scarce
    assert len(room.too_small()) == too_small


def test_a_disk_that_is_too_small() -> None:
    """The sentence has the settings that ask for too much."""
    room = Room(Limits(3 * GIB, GIB, 0), ())

    assert room.misfit((Place("/data", "/x", 1), Free(0, None, 2 * GIB))) == (
        "`[disk] floor` and `headroom` want 4 GiB to be free in /data, where there are 2 GiB in all:"
        " make them smaller, or the disk larger."
    )

"""The caches of one project, one archive per key."""

import io
from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.server.cache_store import CacheStore


@pytest.mark.parametrize("key", ["plain", "../../up", "a/b", "x" * 400, "é ~"])
def test_an_archive_stays_in_the_directory_under_any_key(tmp_path: Path, key: str) -> None:
    """A key may hold slashes and dots, or be longer than a file's name."""
    store = CacheStore(tmp_path / "caches")
    store.keep(key, io.BytesIO(b"archive"))
    assert store.path(key).read_bytes() == b"archive"
    assert [path.parent for path in tmp_path.rglob("*.zip")] == [tmp_path / "caches"]


def test_long_keys_that_differ_late_do_not_meet(tmp_path: Path) -> None:
    """The digest in a file's name tells such keys apart."""
    store = CacheStore(tmp_path)
    assert store.path("x" * 200 + "1") != store.path("x" * 200 + "2")


def test_who_reads_an_older_archive_reads_on(tmp_path: Path) -> None:
    """A later archive replaces the file and does not change it."""
    store = CacheStore(tmp_path)
    store.keep("key", io.BytesIO(b"older"))
    with store.path("key").open("rb") as older:
        store.keep("key", io.BytesIO(b"newer"))
        assert older.read() == b"older"
    assert store.path("key").read_bytes() == b"newer"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error names --cache-server as the remedy."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="--cache-server"):
        CacheStore(tmp_path / "file" / "caches")

"""What is kept where the engine does not count it."""

from pathlib import Path

from executor.budgets.things import CACHE, IMAGE, Thing
from executor.commands.prune.elsewhere import directories, unmeasured
from executor.settings.file import Settings
from tests.builders import some_settings


def with_cache_dir(place: Path) -> Settings:
    return some_settings(f'[docker]\ncache_dir = "{place}"\n')


def test_without_a_directory_of_the_host_nothing_is_counted() -> None:
    """And nothing is said."""
    assert directories(some_settings(), here=True) == ([], [])


def test_directories_of_the_host_are_counted(tmp_path: Path) -> None:
    """Each slot's by itself; no link is followed, and a file beside them does not count."""
    for name, size in (("slot-a", 8192), ("slot-b", 4096)):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "file").write_bytes(b"x" * size)
    (tmp_path / "slot-a" / "away").symlink_to("/usr")
    (tmp_path / "file").write_bytes(b"x")

    found, said = directories(with_cache_dir(tmp_path), here=True)

    assert [Path(each.name).name for each in found] == ["slot-a", "slot-b"]
    assert 8192 <= found[0].size < 2**20
    assert "Budgets do not remove directories of the host" in said[0]


def test_what_cannot_be_seen_is_named(tmp_path: Path) -> None:
    """The engine's host is another one, or the directory may not be read."""
    (tmp_path / "file").touch()

    assert "not visible from here" in directories(with_cache_dir(tmp_path), here=False)[1][0]
    assert "Not a directory" in directories(with_cache_dir(tmp_path / "file"), here=True)[1][0]
    assert directories(with_cache_dir(tmp_path / "missing"), here=True) == ([], [])


def test_a_volume_driver_that_does_not_tell_is_named() -> None:
    """Volumes of the engine's own are measured, or not there any more."""
    things = [
        Thing(CACHE, "a", "a", 0.0),
        Thing(CACHE, "b", "b", 0.0, size=1),
        Thing(IMAGE, "i", "i", 0.0),
    ]
    own = [{"Name": "a", "Driver": "local"}]

    assert unmeasured(things, own) == []
    (said,) = unmeasured(things, [{"Name": "a", "Driver": "nfs"}])
    assert "the volume driver nfs does not tell" in said

"""What a sidecar finds in a store, and what an earlier job may have left there: run under three shells."""

import subprocess
from pathlib import Path

import pytest

from executor.shell import given, program
from tests.patience import LONGEST_SECONDS

_DOCKERD = "find_version() { :; }; says_one_of() { return 1; }; has_one_of() { return 1; }"
_META = b"\0" * 16 + (3977042669).to_bytes(4, "little") + (2).to_bytes(4, "little")


class Store:
    """A volume, and the directory of one kind of stores in it."""

    def __init__(self, root: Path, shell: Path) -> None:
        """Make one that a job of this boot has left."""
        self.volume, self.shell, self.outside = root / "volume", shell, root / "outside"
        self.kept = self.volume / "26"
        (self.kept / "image/overlay2/layerdb/mounts").mkdir(parents=True)
        (self.kept / "overlay2").mkdir()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        (self.volume / "26.boot").write_text(boot, encoding="ascii")
        (self.outside / "layerdb/mounts").mkdir(parents=True)
        (self.outside / "file").write_text("as it was")

    def said(self, after: str) -> str:
        """Return what a program says after the sidecar has looked for its store."""
        begin = given(_major="26", _cache="1", _again="", _directory=str(self.volume.parent))
        text = program("layers").replace("=/var/lib/docker", f"={self.volume}")
        done = subprocess.run(
            [str(self.shell / "sh"), "-c", f"{begin}{_DOCKERD}\n{text}\n{after}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def found(self) -> str:
        """Return why the store is not used, "" where it is."""
        return self.said('find_store && echo "<$_why>"').removeprefix("<").removesuffix(">")


def test_a_sound_store_is_found(tmp_path: Path, programs: Path) -> None:
    """It is wiped and used."""
    store = Store(tmp_path / "store", programs)
    (store.kept / "network").mkdir()

    assert store.found() == ""
    assert not (store.kept / "network").exists()
    assert (store.kept / "image/overlay2/layerdb").is_dir()


def test_no_link_leads_out_of_the_volume(tmp_path: Path, programs: Path) -> None:
    """An earlier job has the volume to itself; nothing outside is written to, moved or removed."""
    image = "26/image"
    for number, place in enumerate(("26", "26.boot", "lock", "trash", image, f"{image}/overlay2")):
        store = Store(tmp_path / str(number), programs)
        link = store.volume / place
        if link.exists():
            link.rename(store.volume / "aside")
        link.symlink_to(store.outside / "file" if place in ("26.boot", "lock") else store.outside)

        store.found()

        assert not store.kept.is_symlink(), place
        assert (store.outside / "file").read_text() == "as it was", place
        assert {each.name for each in store.outside.iterdir()} == {"file", "layerdb"}, place
        assert (store.outside / "layerdb/mounts").is_dir(), place


def bolt(page: int, counts: tuple[int, int]) -> bytes:
    """Return a file of two pages of so many bytes, each of which counts pages."""
    pages = (
        _META + page.to_bytes(4, "little") + b"\0" * 28 + count.to_bytes(8, "little") + b"\0" * 16
        for count in counts
    )
    return b"".join(each.ljust(page, b"\0") for each in pages)


@pytest.mark.parametrize("page", [4096, 16384])
def test_a_file_that_was_cut_off_is_damaged(tmp_path: Path, programs: Path, page: int) -> None:
    """Wherever it was cut: in its first words, too.  The one that counts more was written last."""
    whole = bolt(page, (2, 2))
    cases = [(whole[:length], False) for length in (0, 28, 60, 80, page, len(whole) - 1)]
    cases += [(whole, True), (bolt(page, (2, 3)), False), (bolt(page, (3, 2)), False)]
    for number, (content, sound) in enumerate(cases):
        store = Store(tmp_path / str(number), programs)
        (store.kept / "buildkit").mkdir()
        (store.kept / "buildkit/cache.db").write_bytes(content)

        assert store.found() == ("" if sound else "cache.db is damaged"), number


def test_the_trash_of_short_jobs_does_not_grow(tmp_path: Path, programs: Path) -> None:
    """Where none of them lasts until it is removed, the next one begins with that."""
    for left, pause in ((0, "5"), (9, "5"), (10, "0")):
        store = Store(tmp_path / str(left), programs)
        for each in range(left):
            (store.volume / f"trash/{each}").mkdir(parents=True)

        assert store.said('find_store && echo "$_pause"') == pause, left

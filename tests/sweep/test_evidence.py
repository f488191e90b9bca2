"""What this host shows of an owner: only what is seen from where it lived is proof."""

import ctypes
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Never

import pytest

from executor.errors import EngineRefused
from executor.notation.owner import NO_MACHINE, Owner
from executor.sweep.evidence import View, directory_seen
from executor.sweep.verdict import Directories, Life
from tests.sweep.left import dead_owner, living, owner_of, view

CONTAINER = "c" * 64
BEGAN = "2026-11-28T20:00:00.1Z"
OTHER_BOOT = "0b5d4c6e-7f3a-4c69-9a57-5f1f2f0f6a11"


_NEW_MOUNTS = 0x20000  # CLONE_NEWNS
_NOBODY = 65534


@pytest.fixture
def alive() -> Iterator[Owner]:
    with living() as process:
        yield owner_of(process.pid)


def never(*_asked: object) -> Never:
    raise AssertionError("the engine was asked")


def asks_nobody() -> View:
    return View(local=True, engine_host=never, container=never)


def test_a_process_that_lives(alive: Owner) -> None:
    """The owner lives whose process has its number and began when the label says."""
    assert asks_nobody().life_of(alive, f"{CONTAINER}@{BEGAN}") is Life.ALIVE


def test_a_process_that_is_gone() -> None:
    """No process of that number is proof, without a question to the engine."""
    assert asks_nobody().life_of(dead_owner(), "") is Life.GONE


def test_a_number_that_is_another_process_s_by_now(alive: Owner) -> None:
    """A process of that number that began at another time is another one."""
    assert asks_nobody().life_of(alive._replace(started=alive.started - 1), "") is Life.GONE


def seen_by_another_user(owner: Owner) -> Life:
    """Return what a user other than root sees of a process where the kernel hides processes."""
    child = _fork()
    if not child:
        code = len(Life)
        try:
            assert ctypes.CDLL(None).unshare(_NEW_MOUNTS) == 0
            for words in (
                ["--make-rprivate", "/"],
                ["-t", "proc", "-o", "hidepid=2", "proc", "/proc"],
            ):
                subprocess.run(["mount", *words], check=True)
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
            code = list(Life).index(asks_nobody().life_of(owner, ""))
        finally:
            os._exit(code)
    return list(Life)[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


def _fork() -> int:
    with warnings.catch_warnings():
        # The child of a process with threads uses none of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_a_process_that_the_kernel_hides(alive: Owner) -> None:
    """With hidepid, another user's process is not seen and is not gone; one that has ended is gone."""
    assert seen_by_another_user(alive) is Life.UNKNOWN
    assert seen_by_another_user(dead_owner()) is Life.GONE


@pytest.mark.parametrize(
    "change",
    [
        {"local": False},
        {"machine": "another"},
        {"namespace": "4026532999"},
        {"pid": 0},
        {"pid": 2**22 + 1},
        {"pid": 2**64},
    ],
    ids=str,
)
def test_what_is_not_seen_from_where_it_lived(change: dict[str, Any]) -> None:
    """A process of another host, or another PID namespace, is not gone because it is not here."""
    assert asks_nobody().life_of(dead_owner()._replace(**change), "") is Life.UNKNOWN


def test_an_engine_on_another_host() -> None:
    """Who reaches the engine over the network cannot tell of owners that reach it locally."""
    assert view(local=False).life_of(dead_owner(), "") is Life.UNKNOWN


def test_an_owner_that_cannot_be_read() -> None:
    """A label that names no owner proves nothing."""
    assert asks_nobody().life_of(None, "") is Life.UNKNOWN


def test_another_boot_of_this_host(alive: Owner) -> None:
    """Whatever ran before the host was started again is gone, also where its number lives."""
    assert view().life_of(alive._replace(boot=OTHER_BOOT), "") is Life.REBOOTED


@pytest.mark.parametrize(
    "told", [("elsewhere", os.uname().release), (os.uname().nodename, "3.10"), ("", "")]
)
def test_a_host_that_was_cloned(told: tuple[str, str]) -> None:
    """Another boot is no proof where the engine's host is not this one: clones share machine ids."""
    owner = dead_owner()._replace(boot=OTHER_BOOT)

    assert view(host=told).life_of(owner, "") is Life.UNKNOWN


def test_another_boot_of_another_host() -> None:
    """A host with another machine id is another one, whatever its boot; the engine is not asked."""
    owner = dead_owner()._replace(boot=OTHER_BOOT, machine="another")

    assert asks_nobody().life_of(owner, "") is Life.UNKNOWN


def test_a_machine_without_an_id(tmp_path: Path) -> None:
    """Two machines without an id share none: another boot proves nothing there."""
    seen = View(local=True, engine_host=never, container=never, machine_id_file=f"{tmp_path}/none")
    owner = dead_owner()._replace(boot=OTHER_BOOT, machine=NO_MACHINE)

    assert seen.life_of(owner, "") is Life.UNKNOWN


CONTAINERS: dict[str, tuple[dict[str, object] | None, Life]] = {
    "gone": (None, Life.CONTAINER_GONE),
    "started again": (
        {"State": {"StartedAt": "2026-11-28T21:00:00Z", "Running": True}},
        Life.CONTAINER_GONE,
    ),
    "ended": ({"State": {"StartedAt": BEGAN, "Running": False}}, Life.CONTAINER_GONE),
    "the same": ({"State": {"StartedAt": BEGAN, "Running": True}}, Life.UNKNOWN),
    "no state": ({"Id": CONTAINER}, Life.UNKNOWN),
    "strange": ({"State": {"StartedAt": 1, "Running": "no"}}, Life.UNKNOWN),
}


@pytest.mark.parametrize(("told", "life"), CONTAINERS.values(), ids=CONTAINERS)
def test_the_engine_is_a_witness_of_containers(told: dict[str, object] | None, life: Life) -> None:
    """An owner in a container of this engine is dead where that is gone or has been started again."""
    owner = dead_owner()._replace(namespace="4026532999")

    assert view(container=told).life_of(owner, f"{CONTAINER}@{BEGAN}") is life


@pytest.mark.parametrize(
    "label", ["", CONTAINER, f"{CONTAINER}@", f"@{BEGAN}", f"../../info@{BEGAN}"]
)
def test_a_container_that_is_none(label: str) -> None:
    """A label that names no container, or no time, is no question for the engine."""
    owner = dead_owner()._replace(namespace="4026532999")

    assert asks_nobody().life_of(owner, label) is Life.UNKNOWN


def test_an_engine_that_does_not_tell_of_a_container() -> None:
    """A refusal is not taken for the container's end."""

    def refuse(_name: str) -> None:
        raise EngineRefused("no")

    seen = View(local=True, engine_host=never, container=refuse)
    with pytest.raises(EngineRefused):
        seen.life_of(dead_owner()._replace(local=False), f"{CONTAINER}@{BEGAN}")


# --- directories ---------------------------------------------------------------------------------


def hidden(_place: Path) -> None:
    """Change nothing."""


def with_a_link(place: Path) -> None:
    (place / "tmp").rename(place / "private")
    (place / "tmp").symlink_to("/private")


def without_parent(place: Path) -> None:
    (place / "tmp").rename(place / "tmp2")


@pytest.mark.parametrize(
    ("path", "change", "seen"),
    [
        ("/tmp/there", hidden, Directories.THERE),
        ("/tmp/gone", hidden, Directories.GONE),
        ("/tmp/there", with_a_link, Directories.UNKNOWN),
        ("/tmp/there", without_parent, Directories.UNKNOWN),
        ("/tmp/file/gone", hidden, Directories.UNKNOWN),
        ("/var/tmp/gone", hidden, Directories.UNKNOWN),
        ("tmp/gone", hidden, Directories.UNKNOWN),
        ("/tmp/../tmp/gone", hidden, Directories.UNKNOWN),
        ("//tmp/gone", hidden, Directories.UNKNOWN),
        ("", hidden, Directories.UNKNOWN),
        ("/tmp/\0", hidden, Directories.UNKNOWN),
        ("/tmp/\0/gone", hidden, Directories.UNKNOWN),
        ("/tmp/\ud800", hidden, Directories.UNKNOWN),
    ],
)
def test_a_directory_below_another_root(
    tmp_path: Path, path: str, change: Callable[[Path], None], seen: Directories
) -> None:
    """It is gone only where the directory above it is seen to be there, and no link leads away."""
    (tmp_path / "tmp/there").mkdir(parents=True)
    (tmp_path / "tmp/file").touch()
    change(tmp_path)

    assert directory_seen(str(tmp_path), path) is seen


def test_directories_as_the_owner_sees_them(alive: Owner, tmp_path: Path) -> None:
    """They are seen from the root directory of the owner; one that is there is enough."""
    there, gone = str(tmp_path), f"{tmp_path}/gone"
    seen = view()

    assert seen.directories_of(alive, (gone, there)) is Directories.THERE
    assert seen.directories_of(alive, (gone,)) is Directories.GONE
    assert seen.directories_of(alive, (gone, f"{tmp_path}/a/b")) is Directories.UNKNOWN
    assert seen.directories_of(alive, ()) is Directories.UNKNOWN


def test_directories_of_an_owner_that_ended_meanwhile() -> None:
    """Nothing is gone for a process that is not there to see it."""
    assert view().directories_of(dead_owner(), ("/tmp/gone",)) is Directories.UNKNOWN

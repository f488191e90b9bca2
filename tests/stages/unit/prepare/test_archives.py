"""The helper image from the archives of gitlab-runner's packages: which is taken, what is said."""

import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.log import AdministratorLog
from executor.stages.prepare.archives import load_helper
from tests.engine.stub import StubEngine, events, http

NAME, ARCHIVE = "registry.local/group/helper:x86_64-v17.9.0", "prebuilt-alpine-x86_64"
ID = "sha256:" + "1" * 64

Load = Callable[[], tuple[str, list[str]]]
"""Returns the id of the image that came, "" where none did, and what was said."""


@pytest.fixture
def load(stub: StubEngine) -> Load:
    """Return what loads the helper image into a stub that takes root filesystems."""
    stub.on("GET", "/images/.*/json", http(200, {"Id": ID}))
    stub.on("POST", "/images/create", events({"status": ID}))

    def call() -> tuple[str, list[str]]:
        said: list[str] = []
        facts = load_helper(stub.engine(), NAME, ARCHIVE, AdministratorLog("prepare"), said.append)
        return facts.id if facts else "", said

    return call


def test_an_archive_becomes_the_image(load: Load, archives: Path) -> None:
    """The image comes, and nothing is said."""
    (archives / f"{ARCHIVE}.tar.xz").write_bytes(lzma.compress(b"tar"))

    assert load() == (ID, [])


def test_the_next_archive_is_tried(stub: StubEngine, load: Load, archives: Path) -> None:
    """An archive that fails is passed over with a warning that names file and reason."""
    broken = archives / f"{ARCHIVE}.docker.tar.zst"
    broken.write_bytes(b"packed")
    (archives / f"{ARCHIVE}.tar.xz").write_bytes(lzma.compress(b"tar"))
    stub.on("POST", "/images/load", events({"errorDetail": {"message": "invalid header.\nb"}}))

    found, (said,) = load()

    assert found == ID
    assert said == (
        f"WARNING: The helper image could not be loaded from {broken} (invalid header), so it"
        " is taken from elsewhere. If the file is damaged, reinstall"
        " gitlab-runner-helper-images."
    )


def test_without_an_archive_nothing_is_said(stub: StubEngine, load: Load, archives: Path) -> None:
    """The engine is not asked for anything where only archives of other images are there."""
    (archives / "prebuilt-ubuntu-x86_64.tar.xz").write_bytes(lzma.compress(b"tar"))

    assert load() == ("", [])
    assert stub.received == []

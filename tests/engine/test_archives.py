"""An image made of an archive on the runner's host; `tests/stages` has a real engine for it."""

import lzma
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.engine.archives import LoadFailed, load_image
from tests.engine.stub import StubEngine, events, http, refusal

NAME = "registry.local/group/helper:x86_64-v17.9.0"
ID = "sha256:" + "1" * 64
REPOSITORY = "repo=registry.local%2Fgroup%2Fhelper&tag=x86_64-v17.9.0"
IMPORT, LOAD = "/images/create", "/images/load"


@pytest.fixture
def loading(stub: StubEngine) -> StubEngine:
    """Return an engine that makes an image of whatever it gets."""
    stub.on("GET", "/images/.*/json", http(200, {"Id": ID}))
    stub.on("POST", IMPORT, events({"status": ID}))
    stub.on("POST", LOAD, events({"stream": "Loaded image: some/helper:built\n"}))
    stub.on("POST", "/images/some/helper:built/tag", http(201))
    return stub


def load(stub: StubEngine, path: Path, content: bytes) -> str:
    """Return the id of the image that comes of an archive with this content."""
    path.write_bytes(content)
    return load_image(stub.api(), str(path), NAME).id


def test_a_root_filesystem_is_imported(loading: StubEngine, tmp_path: Path) -> None:
    """The engine gets the archive unpacked, with the image's name and the entrypoint that it had."""
    content = b"tar" * 500_000

    assert load(loading, tmp_path / "a.tar.xz", lzma.compress(content)) == ID
    (received,) = loading.asked("POST", IMPORT)
    assert received.body == content
    assert received.path == (
        f"/images/create?fromSrc=-&{REPOSITORY}"
        "&changes=ENTRYPOINT%20%5B%22/usr/bin/dumb-init%22%2C%20%22/entrypoint%22%5D"
    )


def test_an_image_is_loaded_and_tagged(loading: StubEngine, tmp_path: Path) -> None:
    """The engine gets the archive as it is, and unpacks it."""
    assert load(loading, tmp_path / "a.docker.tar.zst", b"packed") == ID
    assert [each.path for each in loading.received if each.method == "POST"] == [
        "/images/load?quiet=1",
        f"/images/some%2Fhelper%3Abuilt/tag?{REPOSITORY}",
    ]
    assert loading.received[0].body == b"packed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not xz at all", "Input format not supported by decoder"),
        (lzma.compress(b"tar" * 9)[:-9], "Compressed file ended before the end-of-stream marker"),
    ],
)
def test_a_damaged_archive(
    loading: StubEngine, tmp_path: Path, content: bytes, reason: str
) -> None:
    """The engine does not get what would look whole to it."""
    with pytest.raises(LoadFailed, match=f"^{reason}"):
        load(loading, tmp_path / "a.tar.xz", content)


def test_an_archive_that_may_not_be_read(
    loading: StubEngine, tmp_path: Path, mocker: MockerFixture
) -> None:
    """The error has the system's reason."""
    mocker.patch("lzma.open", side_effect=PermissionError(13, "Permission denied"))

    with pytest.raises(LoadFailed, match=r"^Permission denied$"):
        load(loading, tmp_path / "a.tar.xz", b"")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(500, "exit status 1: no space left on device"), r"no space left on device$"),
        (events({"errorDetail": {"message": "unexpected EOF"}}), "^unexpected EOF$"),
        (
            events({"status": "sha"})[:-12],
            "Check that it is running and that gitlab-runner's user may use it.",
        ),
        (http(200, b"{"), "^the engine's answer was cut off$"),
    ],
)
def test_an_engine_that_fails(
    loading: StubEngine, tmp_path: Path, answer: bytes, reason: str
) -> None:
    """The engine may fail before its answer, in it, or without one."""
    loading.on("POST", IMPORT, answer)

    with pytest.raises(LoadFailed, match=reason):
        load(loading, tmp_path / "a.tar.xz", lzma.compress(b"tar"))


def test_an_engine_that_has_seen_enough(loading: StubEngine, tmp_path: Path) -> None:
    """It hangs up before the end of a big archive, and its answer is heard."""
    loading.reads_bodies = False
    loading.on("POST", IMPORT, refusal(500, "no space left on device"))

    with pytest.raises(LoadFailed, match=r"^no space left on device$"):
        load(loading, tmp_path / "a.tar.xz", lzma.compress(bytes(16 << 20)))


def test_an_image_that_is_gone_at_once(loading: StubEngine, tmp_path: Path) -> None:
    """A prune on the host may remove the image before anybody looks at it."""
    loading.on("GET", "/images/.*/json", refusal(404, "No such image"))

    with pytest.raises(LoadFailed, match=r"^the engine did not load an image from it$"):
        load(loading, tmp_path / "a.tar.xz", lzma.compress(b"tar"))

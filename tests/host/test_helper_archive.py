"""The helper image from the archives of gitlab-runner's packages: which, in what order, and what if.

The engine is a stub; `tests/stages/test_helper_archive.py` has a real one.
"""

import lzma
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor.log import AdministratorLog
from executor.stages.prepare.archives import load_helper
from tests.engine.stub import StubEngine, events, http, refusal, stub_engine

NAME, ARCHIVE = "registry.local/group/helper:x86_64-v17.9.0", "prebuilt-alpine-x86_64"
ID = "sha256:" + "1" * 64
REPOSITORY = "repo=registry.local%2Fgroup%2Fhelper&tag=x86_64-v17.9.0"
IMPORT, LOAD = "/images/create", "/images/load"


class Sample:
    """An engine, and the directory beside a gitlab-runner."""

    def __init__(self, stub: StubEngine, directory: Path) -> None:
        self.stub = stub
        self.said: list[str] = []
        self._directory = directory
        stub.on("GET", "/images/.*/json", http(200, {"Id": ID}))
        stub.on("POST", IMPORT, events({"status": ID}))
        stub.on("POST", LOAD, events({"stream": "Loaded image: some/helper:built\n"}))
        stub.on("POST", "/images/some/helper:built/tag", http(201))

    def write(self, name: str, content: bytes) -> Path:
        """Put an archive beside the runner."""
        path = self._directory / name
        path.write_bytes(content)
        return path

    def load(self) -> str:
        """Return the id of the image that came; "" where none did."""
        log = AdministratorLog("prepare")
        facts = load_helper(self.stub.api(), NAME, ARCHIVE, log, self.said.append)
        return facts.id if facts else ""

    def asked(self) -> list[str]:
        """Return what was asked of the engine but for looking."""
        return [each.path for each in self.stub.received if each.method == "POST"]


@pytest.fixture
def sample(tmp_path: Path, mocker: MockerFixture) -> Iterator[Sample]:
    """Return a stub, with a gitlab-runner that is said to be our parent."""
    directory = tmp_path / "usr/lib/gitlab-runner/helper-images"
    directory.mkdir(parents=True)
    program = tmp_path / "usr/bin/gitlab-runner"
    mocker.patch("executor.host.helper_archive._runner", return_value=program)
    with stub_engine(tmp_path) as stub:
        yield Sample(stub, directory)


def test_a_root_filesystem_is_imported(sample: Sample) -> None:
    """Unpacked, under the name that the registry has it by, with the entrypoint that it had."""
    content = b"tar" * 500_000
    sample.write(f"{ARCHIVE}.tar.xz", lzma.compress(content))

    assert (sample.load(), sample.said) == (ID, [])
    (received,) = sample.stub.asked("POST", IMPORT)
    assert received.body == content
    assert received.path == (
        f"/images/create?fromSrc=-&{REPOSITORY}"
        "&changes=ENTRYPOINT%20%5B%22/usr/bin/dumb-init%22%2C%20%22/entrypoint%22%5D"
    )


def test_an_image_is_loaded_and_tagged(sample: Sample) -> None:
    """As it is: the engine unpacks it."""
    sample.write(f"{ARCHIVE}.docker.tar.zst", b"packed")

    assert (sample.load(), sample.said) == (ID, [])
    assert sample.asked() == [
        "/images/load?quiet=1",
        f"/images/some%2Fhelper%3Abuilt/tag?{REPOSITORY}",
    ]
    assert sample.stub.received[0].body == b"packed"


def test_the_other_spelling_of_the_architecture(sample: Sample) -> None:
    """gitlab-runner is ready for it."""
    sample.write("prebuilt-alpine-amd64.tar.xz", lzma.compress(b"tar"))

    assert sample.load() == ID


@pytest.mark.parametrize("name", ["prebuilt-ubuntu-x86_64.tar.xz", "prebuilt-alpine-arm64.tar.xz"])
def test_archives_of_other_images_are_left_alone(sample: Sample, name: str) -> None:
    """Of another flavor, or for another architecture."""
    sample.write(name, lzma.compress(b"tar"))

    assert (sample.load(), sample.said, sample.asked()) == ("", [], [])


def test_the_next_archive_is_tried(sample: Sample) -> None:
    """After a warning that names file and reason."""
    broken = sample.write(f"{ARCHIVE}.docker.tar.zst", b"packed")
    sample.write(f"{ARCHIVE}.tar.xz", lzma.compress(b"tar"))
    sample.stub.on("POST", LOAD, events({"errorDetail": {"message": "invalid tar header"}}))

    assert sample.load() == ID
    (said,) = sample.said
    assert said == (
        f"WARNING: The helper image could not be loaded from {broken} (invalid tar header) and is"
        " looked for elsewhere; if the file is damaged, install gitlab-runner-helper-images again."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not xz at all", "Input format not supported by decoder"),
        (lzma.compress(b"tar" * 9)[:-9], "Compressed file ended before the end-of-stream marker"),
    ],
)
def test_a_damaged_archive(sample: Sample, content: bytes, reason: str) -> None:
    """The engine does not get what would look whole to it."""
    path = sample.write(f"{ARCHIVE}.tar.xz", content)

    assert sample.load() == ""
    assert f" from {path} ({reason}" in sample.said[0]


def test_an_archive_that_may_not_be_read(sample: Sample, mocker: MockerFixture) -> None:
    """The reason is the system's."""
    sample.write(f"{ARCHIVE}.tar.xz", b"")
    mocker.patch("lzma.open", side_effect=PermissionError(13, "Permission denied"))

    assert sample.load() == ""
    assert " (Permission denied) " in sample.said[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(500, "exit status 1: no space left on device"), "no space left on device"),
        (events({"errorDetail": {"message": "unexpected EOF"}}), "unexpected EOF"),
        (events({"status": "sha"})[:-12], "Is it running, and may the runner's user reach it?"),
        (http(200, b"{"), "the engine's answer was cut off"),
    ],
)
def test_an_engine_that_fails(sample: Sample, answer: bytes, reason: str) -> None:
    """Before its answer, in it, or without one."""
    sample.write(f"{ARCHIVE}.tar.xz", lzma.compress(b"tar"))
    sample.stub.on("POST", IMPORT, answer)

    assert sample.load() == ""
    assert len(sample.said) == 1
    assert f"{reason}) and is looked for" in sample.said[0]


def test_an_engine_that_has_seen_enough(sample: Sample) -> None:
    """It hangs up before the end of a big archive, and its answer is heard."""
    sample.stub.reads_bodies = False
    sample.write(f"{ARCHIVE}.tar.xz", lzma.compress(bytes(16 << 20)))
    sample.stub.on("POST", IMPORT, refusal(500, "no space left on device"))

    assert sample.load() == ""
    assert " (no space left on device) " in sample.said[0]


def test_an_image_that_is_gone_at_once(sample: Sample) -> None:
    """A prune on the host, say."""
    sample.write(f"{ARCHIVE}.tar.xz", lzma.compress(b"tar"))
    sample.stub.on("GET", "/images/.*/json", refusal(404, "No such image"))

    assert sample.load() == ""
    assert " (the engine has no image of it) " in sample.said[0]


# --- whose archives ---------------------------------------------------------------------------

FIND = "from executor.host.helper_archive import find_archives; print(*find_archives('prebuilt-a'))"


def found(program: Path, *wrapper: str) -> str:
    """Return what a process finds that comes from a program, maybe through others."""
    command = [*wrapper, sys.executable, "-c", FIND]
    done = subprocess.run(
        # Not the last command, which a shell would become.
        [program, "-c", '"$@"; exit $?', "sh", *command],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.strip()


@pytest.mark.parametrize("wrapper", [(), ("sh", "-c", '"$@"; exit $?', "sh")])
def test_they_are_beside_the_runner(tmp_path: Path, wrapper: tuple[str, ...]) -> None:
    """Which is the parent process, or that of a wrapper."""
    archive = tmp_path / "lib/gitlab-runner/helper-images/prebuilt-a.tar.xz"
    archive.parent.mkdir(parents=True)
    archive.touch()
    for name, expected in (("gitlab-runner", str(archive)), ("something", "")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        shutil.copy("/bin/sh", program)

        assert found(program, *wrapper) == expected

"""A link in a container that has not started; `tests/stages` has a real engine for it."""

import base64
import io
import json
import tarfile

import pytest

from executor.engine.links import make_link
from executor.spec import Link
from tests.engine.stub import Answer, StubEngine, http

ARCHIVE = "/containers/c/archive"
PATH, TARGET = "/var/run/docker.sock", "/run/mine/docker.sock"
IS_LINK = 1 << 27


def stat(*, leads_to: str = "") -> bytes:
    """Return the engine's answer for a directory or a link."""
    told = {"name": "x", "mode": IS_LINK if leads_to else 1 << 31, "linkTarget": leads_to}
    header = base64.b64encode(json.dumps(told).encode()).decode()
    return (
        "HTTP/1.1 200 OK\r\nConnection: close\r\n"
        f"X-Docker-Container-Path-Stat: {header}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


NONE = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def saying(answer: bytes) -> Answer:
    """Return what gives this answer."""
    return lambda connection, _received: connection.send(answer)


def an_engine(stub: StubEngine, **there: str | None) -> None:
    """Let a container have these paths, each a directory or a link that leads somewhere."""
    stub.on("HEAD", ARCHIVE, saying(NONE))
    for path, leads_to in there.items():
        place = "/" + path.replace("_", "/")
        stub.on("HEAD", f"{ARCHIVE}.path={place}$", saying(stat(leads_to=leads_to or "")))
    stub.on("PUT", ARCHIVE, http(200))


def made(stub: StubEngine, *unless: str) -> tuple[str, str] | None:
    """Return where the archive was sent, and the path in it; None where nothing was made."""
    done = make_link(stub.api(), "c", Link(PATH, TARGET, unless))
    sent = stub.asked("PUT", ARCHIVE)
    assert done is bool(sent)
    if not sent:
        return None
    with tarfile.open(fileobj=io.BytesIO(sent[0].body)) as archive:
        (entry,) = archive.getmembers()
    assert (entry.issym(), entry.linkname) == (True, TARGET)
    return sent[0].path.partition("=")[2], entry.name


def test_a_link_is_made_where_the_directory_really_is(stub: StubEngine) -> None:
    """The engine is asked twice, and once to make it, with mounts elsewhere, too."""
    an_engine(stub, var=None, var_run="/run", run=None)

    assert made(stub, "/builds", "/cache") == ("/run", "docker.sock")
    assert [each.method for each in stub.received] == ["HEAD", "HEAD", "PUT"]


def test_a_directory_that_is_missing_is_made(stub: StubEngine) -> None:
    """The archive is then unpacked at the root: it names the link alone, and no directory."""
    an_engine(stub)

    assert made(stub) == ("/", "var/run/docker.sock")


@pytest.mark.parametrize("foreign", ["/var/run", "/run", "/var", PATH, "/run/docker.sock"])
def test_nothing_is_made_on_what_is_mounted(stub: StubEngine, foreign: str) -> None:
    """The engine would write through it, to whatever is mounted."""
    an_engine(stub, var=None, var_run="/run", run=None)

    assert made(stub, "/cache", foreign) is None


def test_other_mounts_do_no_harm(stub: StubEngine) -> None:
    """A volume elsewhere is no reason."""
    an_engine(stub, var=None, var_run="/run", run=None)

    assert made(stub, "/cache", "/var/lib/x", "/run/secrets") == ("/run", "docker.sock")


def test_a_link_above_is_not_followed_among_mounts(stub: StubEngine) -> None:
    """The engine does not say where such a path really is."""
    an_engine(stub, var="/data/var", var_run=None)

    assert made(stub, "/data") is None


def test_nothing_is_replaced(stub: StubEngine) -> None:
    """What an image has there is its own."""
    an_engine(stub, var_run=None)
    stub.on("HEAD", r"docker\.sock$", saying(stat()))

    assert made(stub) is None


def test_an_answer_that_tells_nothing_counts_as_something(stub: StubEngine) -> None:
    """Nothing is made where it is not known what is there."""
    an_engine(stub)
    empty = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    stub.on("HEAD", r"docker\.sock$|run$", saying(empty))

    assert made(stub) is None

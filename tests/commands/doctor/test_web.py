"""One question to a web server: what comes back, and why nothing does."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Thread

import pytest

from executor.commands.doctor.web import get
from tests.rig import authority
from tests.web import Answer, Request, Server


@contextmanager
def serving(answer: Answer, certificates: authority.Certificates | None = None) -> Iterator[Server]:
    """Run a server that answers each request so."""

    def answered(_: Request) -> Answer:
        return answer

    server = Server(("127.0.0.1", 0), answered, certificates)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_each_status_is_an_answer() -> None:
    """A refusal is no error: it has a status, headers and a body."""
    with serving(Answer(HTTPStatus.UNAUTHORIZED, b"no", {"X-Word": "a"})) as server:
        answer = get(f"http://127.0.0.1:{server.server_port}/v2/", "", {})

    assert (answer.status, answer.headers["x-word"], answer.body) == (401, "a", b"no")


def test_a_redirect_is_not_followed() -> None:
    """It is the answer, wherever it leads."""
    with serving(Answer(HTTPStatus.FOUND, b"", {"Location": "http://192.0.2.1/"})) as server:
        assert get(f"http://127.0.0.1:{server.server_port}/", "", {}).status == 302


def test_an_authority_of_the_hosts_counts(tmp_path: Path) -> None:
    """A private certificate passes with its authority, and is refused in words without."""
    certificates = authority.made("127.0.0.1", tmp_path)
    with serving(Answer(HTTPStatus.OK, b"yes"), certificates) as server:
        url = f"https://127.0.0.1:{server.server_port}/"
        assert get(url, certificates.ca.read_text(), {}).body == b"yes"
        with pytest.raises(OSError, match="signed by an authority that is not known"):
            get(url, "", {})


def test_nobody_who_answers_is_said_in_words() -> None:
    """A port that nobody listens on refuses."""
    with pytest.raises(OSError, match="Connection refused"):
        get("http://127.0.0.1:1/", "", {})


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "file:///etc/passwd"])
def test_only_addresses_of_web_servers_are_asked(url: str) -> None:
    """A file is not read by an address."""
    with pytest.raises(ValueError, match="no address"):
        get(url, "", {})


def test_a_proxy_of_the_environment_is_asked() -> None:
    """gitlab-runner's proxy counts, and no_proxy with it."""
    with serving(Answer(HTTPStatus.OK, b"by the proxy")) as server:
        environ = {"http_proxy": f"http://127.0.0.1:{server.server_port}"}
        assert get("http://gitlab.invalid/", "", environ).body == b"by the proxy"
        with pytest.raises(OSError, match=r"."):
            get("http://gitlab.invalid/", "", {**environ, "no_proxy": "gitlab.invalid"})

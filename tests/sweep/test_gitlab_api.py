"""Requests to GitLab with a job's token: where they go, what they trust, how long they take."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import pytest

from executor.sweep.gitlab_api import GitLabApi, Unreachable, tls_context
from tests.gitlab import moods
from tests.gitlab.jobs import Job
from tests.gitlab.server import GitLab
from tests.rig import authority
from tests.rig.authority import Certificates
from tests.sockets import held_port
from tests.sweep.samples import TOKEN
from tests.web import Answer, Request, Server

SECONDS = 30.0
OK = Answer(HTTPStatus.OK, b'{"id": 17}', {"Content-Type": "application/json"})


class Seen:
    """A server on this machine, and what it was asked."""

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.asked: list[Request] = []
        self._answer = answer
        self.url = ""

    def answer(self, request: Request) -> Answer:
        """Answer and note."""
        self.asked.append(request)
        return self._answer(request) or OK


@contextmanager
def serving(
    answer: Callable[[Request], Answer | None] = lambda _: OK,
    certificates: Certificates | None = None,
    address: str = "127.0.0.1",
) -> Iterator[Seen]:
    """Serve until the block ends."""
    seen = Seen(answer)
    server = Server((address, 0), seen.answer, certificates)
    scheme = "https" if certificates else "http"
    seen.url = f"{scheme}://{address}:{server.server_port}"
    with server.serving():
        yield seen


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Have a server that speaks no good HTTP; one connection, whose fault is the client's to see."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # nobody may have come
        thread.join(60)
        assert not thread.is_alive()


def api(
    url: str,
    *,
    seconds: float = SECONDS,
    authorities: str = "",
    certificates: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> GitLabApi:
    return GitLabApi(
        url,
        TOKEN,
        time.monotonic() + seconds,
        authorities=authorities,
        certificates=str(certificates or "/nowhere"),
        environ=environ or {},
    )


def refused(asked: GitLabApi) -> str:
    """Return why GitLab cannot be asked; it shows nothing of the job's."""
    with pytest.raises(Unreachable) as error:
        asked.get("/job")
    assert TOKEN not in str(error.value)
    # Nor does a traceback show what was behind it.
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return str(error.value)


# --- asking ------------------------------------------------------------------------------------


def test_a_question_has_the_jobs_token_in_a_header(gitlab: GitLab, ghost: Job) -> None:
    """GitLab answers to the token alone, which no URL has."""
    answer = api(gitlab.url).get("/job")

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert str(ghost.id).encode() in answer.body


def test_gitlab_may_lie_below_a_path() -> None:
    """The path of the base URL comes before the API's."""
    with serving() as seen:
        api(f"{seen.url}/git/lab").get("/job")

    assert [each.path for each in seen.asked] == ["/git/lab/api/v4/job"]


def test_what_an_answer_says_is_kept() -> None:
    """Its status, kind, body, and the three headers that count."""
    headers = {
        "Content-Type": "text/plain",
        "Job-Status": "failed",
        "Range": "0-12",
        "Location": "/elsewhere",
    }
    with serving(lambda _: Answer(HTTPStatus.FORBIDDEN, b"no", headers)) as seen:
        answer = api(seen.url).send("PUT", "/jobs/17", b"{}", {"Content-Type": "application/json"})

    assert answer == (403, "text/plain", "failed", "0-12", "/elsewhere", b"no")
    (asked,) = seen.asked
    assert (asked.method, asked.body, asked.headers["job-token"]) == ("PUT", b"{}", TOKEN)


# --- bounds ------------------------------------------------------------------------------------


def test_nothing_is_sent_after_the_deadline() -> None:
    """A deadline that has passed is no time at all."""
    with serving() as seen:
        assert "in time" in refused(api(seen.url, seconds=0))

    assert seen.asked == []


def test_a_silent_server_is_given_up_at_the_deadline() -> None:
    """It accepts and says nothing."""
    released = threading.Event()

    def wait(_: socket.socket) -> None:
        released.wait(60)

    with talking(wait) as url:
        assert "in time" in refused(api(url, seconds=0.2))
        released.set()


def test_a_request_under_way_ends_when_it_is_given_up() -> None:
    """A server that sends a byte now and then never meets a timeout; giving up ends it."""
    begun = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        begun.set()
        connection.settimeout(0.02)
        while True:
            connection.sendall(b"X: y\r\n"[:1])
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return

    with talking(drip) as url:
        asked = api(url)

        def give_up() -> None:
            begun.wait(60)
            asked.give_up()

        thread = threading.Thread(target=give_up)
        thread.start()
        refused(asked)
        thread.join()
    assert "in time" in refused(asked)


def test_a_long_answer_is_not_read_to_its_end() -> None:
    """More than a megabyte is no answer of GitLab's to any of these questions."""

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with talking(flood) as url:
        assert "too long" in refused(api(url))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        f"HTTP/1.1 {TOKEN}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nless",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"9" * 5000 + b"\r\n",
    ],
)
def test_a_server_that_is_no_web_server_is_named_so(said: bytes) -> None:
    """Whatever it says, the reason is ours and quotes nothing."""
    with talking(lambda connection: connection.sendall(said)) as url:
        assert "as a web server does" in refused(api(url))


def test_a_server_that_is_not_there_is_named_so() -> None:
    """The kernel's words say why: refused, no route, no address."""
    with held_port() as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert "Connection refused" in refused(api(url))
    assert "no address" in refused(api("http://gitlab.invalid"))


def test_a_server_that_hangs_up_is_named_so(gitlab: GitLab) -> None:
    """A connection that breaks off is no answer."""
    gitlab.mood = moods.refusing

    assert refused(api(gitlab.url))


def test_a_wrong_address_is_no_address() -> None:
    """What the payload names as GitLab may be no usable URL at all."""
    for url in (
        "http://host:99999",
        "http://host:port",
        "http://ho st",
        "http://host/a b",
        "http://[",
    ):
        assert refused(api(url))


# --- redirects ---------------------------------------------------------------------------------


def test_a_redirect_on_the_same_host_is_followed() -> None:
    """GitLab that moved below a path is asked there, the other requests too."""

    def answer(request: Request) -> Answer | None:
        is_old = request.path.startswith("/api")
        return moods.redirecting("/new/api/v4/job")(request) if is_old else OK

    with serving(answer) as seen:
        asked = api(seen.url)
        assert asked.get("/job").status == 200
        asked.send("PUT", "/jobs/17", b"{}")

    paths = [each.path for each in seen.asked]
    assert paths == ["/api/v4/job", "/new/api/v4/job", "/new/api/v4/jobs/17"]


def test_the_token_does_not_go_to_another_host() -> None:
    """Neither another name, nor another port, nor plain HTTP gets it."""
    with serving() as other:
        for location in (
            f"{other.url}/api/v4/job",
            "//127.0.0.2/api/v4/job",
            f"http://user@{other.url.removeprefix('http://')}/api/v4/job",
            "http://[/api/v4/job",
        ):
            with serving(moods.redirecting(location)) as seen:
                assert "redirects" in refused(api(seen.url))
            assert len(seen.asked) == 1
    assert other.asked == []


def test_encryption_is_not_given_up_by_a_redirect(certificates: Certificates) -> None:
    """From HTTPS no redirect leads to HTTP."""
    with serving() as plain:
        port = plain.url.rpartition(":")[2]
        location = f"http://127.0.0.1:{port}/api/v4/job"
        with serving(moods.redirecting(location), certificates) as seen:
            asked = api(seen.url, authorities=certificates.ca.read_text())
            assert "another host" in refused(asked)
    assert plain.asked == []


@pytest.mark.parametrize("location", ["/users/sign_in", "/api/v4/job?again=1", "/api/v4/job#x"])
def test_a_redirect_to_a_page_is_not_followed(location: str) -> None:
    """A login page is not GitLab's API."""
    with serving(moods.redirecting(location)) as seen:
        assert "page" in refused(api(seen.url))
    assert len(seen.asked) == 1


@pytest.mark.parametrize("location", ["/api/v4/job", ""])
def test_redirects_in_a_circle_end(location: str) -> None:
    """After some, the redirect itself is the answer."""
    with serving(moods.redirecting(location)) as seen:
        assert api(seen.url).get("/job").status == 302
    assert len(seen.asked) == 3


# --- certificates ------------------------------------------------------------------------------


def test_an_unknown_authority_is_named_so(certificates: Certificates) -> None:
    """Nothing is sent to a server that cannot prove who it is."""
    with serving(certificates=certificates) as seen:
        assert "authority" in refused(api(seen.url))
    assert seen.asked == []


def test_the_authorities_of_gitlab_runner_count(certificates: Certificates) -> None:
    """Those that config has left beside the payload are enough."""
    with serving(certificates=certificates) as seen:
        assert api(seen.url, authorities=certificates.ca.read_text()).get("/job").status == 200


def test_a_servers_own_certificate_is_enough(certificates: Certificates) -> None:
    """gitlab-runner may know no more of a chain than what the server itself sends."""
    with serving(certificates=certificates) as seen:
        authorities = certificates.certificate.read_text()
        assert api(seen.url, authorities=authorities).get("/job").status == 200


def test_the_certificates_of_the_host_count(certificates: Certificates, tmp_path: Path) -> None:
    """gitlab-runner's own directory has one file for each host."""
    (tmp_path / "127.0.0.1.crt").write_bytes(certificates.ca.read_bytes())
    with serving(certificates=certificates) as seen:
        assert api(seen.url, certificates=tmp_path).get("/job").status == 200


def test_gitlab_may_ask_for_a_certificate(certificates: Certificates, tmp_path: Path) -> None:
    """gitlab-runner's own one in that directory is shown."""
    (tmp_path / "127.0.0.1.crt").write_bytes(certificates.ca.read_bytes())
    (tmp_path / "127.0.0.1.auth.crt").write_bytes(certificates.certificate.read_bytes())
    (tmp_path / "127.0.0.1.auth.key").write_bytes(certificates.key.read_bytes())

    assert isinstance(tls_context("127.0.0.1", "", str(tmp_path)), ssl.SSLContext)


@pytest.mark.parametrize(
    "authorities", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n", "\x00", "a\ud800ü"]
)
def test_strange_authorities_are_named_so(certificates: Certificates, authorities: str) -> None:
    """What is no certificate is no reason to trust anything."""
    with serving(certificates=certificates) as seen:
        assert "TLS" in refused(api(seen.url, authorities=authorities))
    assert seen.asked == []


# --- proxies -----------------------------------------------------------------------------------


def test_a_proxy_is_asked_in_gitlabs_place() -> None:
    """Over plain HTTP it gets the whole URL, and the login that the environment names."""
    with serving() as proxy:
        named = proxy.url.replace("://", "://user:p%40ss@")
        asked = api("http://gitlab.invalid/git", environ={"http_proxy": named})
        assert asked.get("/job").status == 200

    (request,) = proxy.asked
    assert request.path == "/git/api/v4/job"
    assert request.headers["host"] == "gitlab.invalid"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"


def test_a_proxy_only_joins_the_two_ends_of_tls(tmp_path: Path) -> None:
    """Over HTTPS the proxy learns the host and sees neither request nor token."""
    heard: list[bytes] = []
    # localhost is never asked through a proxy; this address is nobody's.
    certificates = authority.made("192.0.2.1", tmp_path / "tls")
    with serving(certificates=certificates) as seen:
        port = int(seen.url.rpartition(":")[2])

        def join(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", port)) as there:
                back = threading.Thread(target=pump, args=(there, connection))
                back.start()
                pump(connection, there, heard)
                back.join()

        with talking(join) as proxy:
            asked = api(
                "https://192.0.2.1",
                authorities=certificates.ca.read_text(),
                environ={"HTTPS_PROXY": proxy},
            )
            assert asked.get("/job").status == 200
    assert [each.headers["job-token"] for each in seen.asked] == [TOKEN]
    assert heard
    assert TOKEN.encode() not in b"".join(heard)


def pump(source: socket.socket, target: socket.socket, heard: list[bytes] | None = None) -> None:
    """Hand on what comes, until it ends."""
    with suppress(OSError):
        while piece := source.recv(65536):
            if heard is not None:
                heard.append(piece)
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_a_proxy_that_refuses_is_named_so() -> None:
    """What the proxy says of itself is not quoted."""
    said = f"HTTP/1.1 407 {TOKEN}\r\n\r\n".encode()
    with talking(lambda connection: connection.sendall(said)) as proxy:
        assert refused(api("https://gitlab.invalid", environ={"HTTPS_PROXY": proxy}))


def test_a_proxy_of_another_kind_is_named_so() -> None:
    """Nothing goes around a proxy that cannot be used."""
    asked = api("https://gitlab.invalid", environ={"HTTPS_PROXY": "socks5://127.0.0.1:1080"})

    assert "proxy" in refused(asked)

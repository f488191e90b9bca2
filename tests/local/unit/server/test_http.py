"""The embedded server, asked by a real git and over real connections."""

import base64
import gzip
import http.client
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from executor.local.errors import LocalError
from executor.local.project.checkout import make_snapshot, read_checkout
from executor.local.server.artifact_store import ArtifactStore
from executor.local.server.cache_store import CacheStore
from executor.local.server.http import Server
from tests.local.conftest import Workbench

BRANCH = "refs/heads/main"


@dataclass
class Served:
    """A server with the workbench's project on it, and one job's token."""

    server: Server
    store: ArtifactStore
    token: str

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        site = self.server.site
        connection = http.client.HTTPConnection(site.host, site.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    def address(self, token: str = "") -> str:
        login = f"gitlab-ci-token:{token}@" if token else ""
        return f"http://{login}{self.server.site.host}:{self.server.site.port}/group/project.git"


@pytest.fixture
def served(bench: Workbench, tmp_path: Path) -> Iterator[Served]:
    repositories = tmp_path / "served"
    make_snapshot(
        read_checkout(bench.project), repositories / "group" / "project.git", refs=(BRANCH,)
    )
    store = ArtifactStore(tmp_path)
    caches = CacheStore(tmp_path / "caches")
    with Server("127.0.0.1", 0, repositories=repositories, store=store, caches=caches) as server:
        yield Served(server, store, store.admit(7))


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"},
    )


@pytest.mark.parametrize("depth", [(), ("--depth=1",)])
@pytest.mark.parametrize("protocol", ["0", "2"])
def test_a_job_fetches_what_is_committed(
    served: Served, bench: Workbench, tmp_path: Path, depth: tuple[str, ...], protocol: str
) -> None:
    """A clone is whole or shallow, by the old protocol and by the new."""
    version = f"protocol.version={protocol}"
    target = tmp_path / "clone"
    done = git("-c", version, "clone", *depth, served.address(served.token), str(target))
    assert done.returncode == 0, done.stderr
    assert git("-C", str(target), "rev-parse", "HEAD").stdout.strip() == bench.git(
        "rev-parse", "HEAD"
    )


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_jobs_token_there_are_no_sources(
    served: Served, tmp_path: Path, token: str
) -> None:
    """Other containers see the address, too."""
    done = git("clone", served.address(token), str(tmp_path / "clone"))
    assert done.returncode != 0
    assert "Authentication failed" in done.stderr or "could not read Username" in done.stderr


def test_the_token_ends_with_the_job(served: Served, tmp_path: Path) -> None:
    """A job that is over fetches nothing."""
    served.store.dismiss(7)
    assert git("clone", served.address(served.token), str(tmp_path / "clone")).returncode != 0


def test_nobody_pushes(served: Served, bench: Workbench) -> None:
    """The snapshot stays what it is."""
    done = git("-C", str(bench.project), "push", served.address(served.token), "HEAD:new")
    assert done.returncode != 0


def test_a_large_negotiation_arrives(served: Served, bench: Workbench) -> None:
    """git compresses a long question, and sends a longer one in chunks."""
    head = bench.git("rev-parse", "HEAD^{tree}")
    for number in range(64):
        commit = bench.git("commit-tree", head, "-m", f"Own commit {number}")
        bench.git("update-ref", f"refs/heads/own-{number}", commit)
    for size in ("1024", "1048576"):
        done = git(
            *("-C", str(bench.project), "-c", f"http.postBuffer={size}"),
            *("-c", "protocol.version=0", "fetch", served.address(served.token), BRANCH),
        )
        assert done.returncode == 0, done.stderr


FORM = (
    b'--b-1\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--b-1--\r\n"
)
FORM_TYPE = "multipart/form-data; boundary=b-1"


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"\r\n--b-1\r\n", b"x" * 300_000, b"\r\n\r\n--b-1-- \r\n"]
)
def test_artifacts_come_back_as_they_were_sent(served: Served, content: bytes) -> None:
    """Content that looks like a boundary comes back unchanged."""
    path = "/api/v4/jobs/7/artifacts"
    status, _ = served.ask(
        "POST",
        f"{path}?artifact_format=zip",
        FORM % content,
        JOB_TOKEN=served.token,
        Content_Type=FORM_TYPE,
    )
    assert status == 201
    assert (200, content) == served.ask("GET", path, JOB_TOKEN=served.store.admit(8))


def test_a_job_uploads_only_its_own_artifacts(served: Served) -> None:
    """Another job's token is not enough."""
    other = served.store.admit(8)
    path = "/api/v4/jobs/7/artifacts"
    for token in ("", "wrong", other):
        status, _ = served.ask("POST", path, FORM % b"x", JOB_TOKEN=token, Content_Type=FORM_TYPE)
        assert status == 403
    assert served.store.of(7) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x", "text/plain"),
        (b"x", FORM_TYPE),
        (FORM[:-4] % b"x", FORM_TYPE),
        ((FORM % b"x").replace(b'"file"', b'"other"'), FORM_TYPE),
    ],
)
def test_an_upload_that_is_no_form_is_refused(served: Served, body: bytes, kind: str) -> None:
    """The server refuses half an archive and keeps nothing."""
    status, _ = served.ask(
        "POST", "/api/v4/jobs/7/artifacts", body, JOB_TOKEN=served.token, Content_Type=kind
    )
    assert status == 400
    assert served.store.of(7) is None


@pytest.mark.parametrize("key", ["main-non_protected", "a/b", "..", "../../x", "k" * 300, "ü ?#"])
def test_a_cache_comes_back_as_it_was_sent(served: Served, tmp_path: Path, key: str) -> None:
    """Any key stays within the directory, and a later archive replaces an earlier one."""
    address = f"/cache/{quote(key, safe='')}?token={served.token}"
    assert served.ask("GET", address)[0] == 404
    for content in (b"x" * 300_000, b"second"):
        assert served.ask("PUT", address, content)[0] == 201
        assert served.ask("GET", address) == (200, content)
    other = f"/cache/{quote(key + '2', safe='')}?token={served.token}"
    assert served.ask("GET", other)[0] == 404
    (kept,) = (path for path in tmp_path.rglob("*.zip") if path.read_bytes() == b"second")
    assert kept.parent == tmp_path / "caches"


def test_caches_are_for_running_jobs_alone(served: Served) -> None:
    """Other containers see the address, too."""
    served.ask("PUT", f"/cache/key?token={served.token}", b"secret")
    served.store.dismiss(7)
    for query in ("", "?token=", "?token=wrong", f"?token={served.token}"):
        assert served.ask("GET", f"/cache/key{query}")[0] == 403
        assert served.ask("PUT", f"/cache/key{query}", b"x")[0] == 403


def test_without_a_directory_there_are_no_caches(tmp_path: Path) -> None:
    """The server neither gives nor takes caches then."""
    store = ArtifactStore(tmp_path)
    with Server("127.0.0.1", 0, repositories=tmp_path, store=store) as server:
        asked = Served(server, store, store.admit(7))
        for method in ("GET", "PUT"):
            assert asked.ask(method, f"/cache/key?token={asked.token}")[0] == 404


def test_reports_do_not_replace_artifacts(served: Served) -> None:
    """They are taken, and nobody gets them."""
    path = "/api/v4/jobs/7/artifacts"
    sent = {"JOB_TOKEN": served.token, "Content_Type": FORM_TYPE}
    assert served.ask("POST", path, FORM % b"kept", **sent)[0] == 201
    report = f"{path}?artifact_type=junit&artifact_format=gzip"
    assert served.ask("POST", report, FORM % b"report", **sent)[0] == 201
    assert served.ask("GET", path, JOB_TOKEN=served.token) == (200, b"kept")


def test_what_is_not_there_is_not_found(served: Served) -> None:
    """The server has no artifacts of other jobs, and no other addresses."""
    ask = served.ask
    assert ask("GET", "/api/v4/jobs/9/artifacts", JOB_TOKEN=served.token)[0] == 404
    assert ask("GET", "/", JOB_TOKEN=served.token)[0] == 404
    assert ask("POST", "/group/project.git/git-receive-pack", b"")[0] == 404
    login = base64.b64encode(f"gitlab-ci-token:{served.token}".encode()).decode()
    outside = "/group/../../etc/project.git/info/refs?service=git-upload-pack"
    assert ask("GET", outside, Authorization=f"Basic {login}")[0] in (403, 404, 500)


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    """The error names --listen as the remedy."""
    with pytest.raises(LocalError, match=r"cannot listen on 192\.0\.2\.1 .*--listen"):
        Server("192.0.2.1", 0, repositories=tmp_path, store=ArtifactStore(tmp_path))


def test_a_report_that_is_a_bomb_is_refused(served: Served) -> None:
    """A gigabyte of zeros packs into one megabyte: no more of it is unpacked than a report has."""
    path = "/api/v4/jobs/7/artifacts?artifact_type=dotenv&artifact_format=gzip"
    sent = {"JOB_TOKEN": served.token, "Content_Type": FORM_TYPE}
    bomb = gzip.compress(b"A=" + b"0" * 20_000_000)

    assert served.ask("POST", path, FORM % bomb, **sent)[0] == 400
    assert served.ask("POST", path, FORM % gzip.compress(b"A=1"), **sent)[0] == 201
    assert served.store.reported_by(7) == (("A", "1"),)


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x", "1_0"])
def test_a_length_that_is_none_is_no_body(served: Served, length: str) -> None:
    """The server answers, and waits for nothing."""
    address = f"/cache/key?token={served.token}"

    assert served.ask("PUT", address, b"", Content_Length=length)[0] == 201

"""A registry that refuses in its own words: the job author's mistake, told once."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest

NO_DIND: Changes = {"dind": {"mode": "service"}}
_V2 = "application/vnd.docker.distribution.manifest.v2+json"
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

Answers = Callable[[int, str, str], str]
"""Makes a registry that answers each question for a manifest so; returns its address."""


@pytest.fixture
def registry() -> Iterator[Answers]:
    """Return what makes registries on this host."""
    servers: list[ThreadingHTTPServer] = []

    def answer(status: int, kind: str, body: str) -> str:
        class Registry(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = (200, "application/json", "{}")
                code, said, text = (status, kind, body) if "/manifests/" in self.path else found
                self.send_response(code)
                self.send_header("Content-Type", said)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(text.encode())

            do_HEAD = do_GET  # noqa: N815 (the base class has it)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    yield answer
    for each in servers:
        each.shutdown()
        each.server_close()


def error(code: str, message: str) -> str:
    """Return an error as registries have it."""
    return json.dumps({"errors": [{"code": code, "message": message}]})


JSON = "application/json"
REFUSALS = {
    "Artifactory": (403, JSON, error("UNKNOWN", "Authentication is required")),
    "a denial": (403, JSON, error("DENIED", "access forbidden")),
    "a page": (403, "text/html", "<html>Forbidden</html>"),
    "Harbor": (412, JSON, error("UNKNOWN", "image cannot be pulled due to configured policy in x")),
    "an old tool": (401, JSON, error("UNAUTHORIZED", "Wrong username was used")),
    "schema 1": (200, _SCHEMA_1, json.dumps({"schemaVersion": 1, "name": "a", "tag": "1"})),
    "no image": (200, "application/vnd.none", json.dumps({"schemaVersion": 2})),
}


@pytest.mark.family(2)
@pytest.mark.parametrize(("status", "kind", "body"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_authors_mistake(
    start: Start, registry: Answers, status: int, kind: str, body: str
) -> None:
    """It ends the job at once, with the registry's words."""
    name = f"{registry(status, kind, body)}/a/b:1"
    job = start(JobRequest(name), NO_DIND)
    job.config().passed()
    call = job.prepare()
    assert call.code == BUILD_FAILURE, call.output
    assert f'ERROR: failed to pull image "{name}"' in call.stderr
    assert "retrying" not in call.output


def test_a_fault_of_the_registry_is_not(start: Start, registry: Answers) -> None:
    """A later job may work."""
    name = f"{registry(500, JSON, error('UNKNOWN', 'internal'))}/a/b:1"
    job = start(JobRequest(name), NO_DIND)
    job.config().passed()
    assert job.prepare().code == SYSTEM_FAILURE

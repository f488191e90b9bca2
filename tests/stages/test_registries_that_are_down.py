"""A registry that is stopped, does not serve, or refuses, and an image that the host may have."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.rig.state import Rig
from tests.stages.calls import BUILD_FAILURE, SYSTEM_FAILURE, Call
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images, OwnRegistry
from tests.stages.request import JobRequest

STATES = ("stopped", "503", "401", "403")
SETTINGS = ("use-all-images", "fail")
DOWN = ("stopped", "503")
SAID = {
    "stopped": "connection refused",
    "503": "503 Service Unavailable",
    "401": "no basic auth credentials",
    "403": "denied: ",
}
"""What the engine says of each."""
WARNING = 'WARNING: The registry of "{name}" does not serve: '
USED = "The job uses the image that this host already has, which may be out of date"

Case = tuple[str, str, bool]
CASES: list[Case] = list(itertools.product(STATES, SETTINGS, (True, False)))


class _Answer(BaseHTTPRequestHandler):
    """Answers as a registry that is overloaded, or that forbids."""

    def do_GET(self) -> None:
        forbids = self.path.startswith("/v2/forbidden/")
        code = 403 if forbids else 200 if self.path == "/v2/" else 503
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if forbids and self.command == "GET":
            self.wfile.write(b'{"errors": [{"code": "DENIED", "message": "not for you"}]}')

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def unwilling() -> Iterator[str]:
    """Serve; the address is on loopback, which engines reach without TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def case_id(case: Case) -> str:
    state, setting, here = case
    return f"{state}-{setting}-{'present' if here else 'absent'}"


@pytest.fixture(scope="module")
def prepared(
    request: pytest.FixtureRequest,
    rig: Rig,
    images: Images,
    start_standing: Start,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[Case, tuple[str, Call]]]:
    """Return what prepare said of an image in each case that a test asks for, and its name."""
    asked = {each.name.partition("[")[2].rstrip("]") for each in request.session.items}
    stopped = OwnRegistry(tmp_path_factory.mktemp("registry"))
    with unwilling() as server, ThreadPoolExecutor(8) as pool:
        places = {
            "stopped": f"{stopped.host}/group",
            "503": f"{server}/group",
            "401": f"{rig.gitlab}/group/private",  # a registry that asks for a login
            "403": f"{server}/forbidden",
        }
        running = {}
        for case in (each for each in CASES if case_id(each) in asked):
            state, setting, here = case
            name = f"{places[state]}/{setting}:{'here' if here else 'absent'}"
            if here:
                images.tag(images.known("alpine"), name)
            changes: Changes = {
                "dind": {"mode": "service"},
                "docker": {"when_registry_is_down": setting},
            }
            job = start_standing(JobRequest(image=name), changes)
            job.config().passed()
            running[case] = (name, pool.submit(job.prepare))
        yield {case: (name, call.result()) for case, (name, call) in running.items()}


@pytest.mark.family(3)
@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_the_image_of_a_job(prepared: dict[Case, tuple[str, Call]], case: Case) -> None:
    """It is the host's only where the registry is down, the settings say so, and it is there."""
    state, setting, here = case
    name, call = prepared[case]
    works = state in DOWN and setting == "use-all-images" and here

    assert SAID[state] in call.output
    assert (WARNING.format(name=name) in call.output) == works
    assert (USED in call.output) == works
    expected = 0 if works else SYSTEM_FAILURE if state in DOWN else BUILD_FAILURE
    assert call.code == expected, call.output


def test_the_administrators_own_images(
    rig: Rig, images: Images, start: Start, tmp_path: Path
) -> None:
    """Helper and sidecar may be the host's where the job's own image may not."""
    host = OwnRegistry(tmp_path).host  # nothing listens there
    own = {kind: f"{host}/own/{kind}:1" for kind in ("helper", "docker-dind", "service", "build")}
    images.tag(images.known(rig.helper_image), own["helper"])
    images.tag(images.known(rig.dind_image), own["docker-dind"])
    for kind in ("service", "build"):
        images.tag(images.known("alpine"), own[kind])
    docker = {"helper_image": own["helper"], "when_registry_is_down": "use-own-images"}
    changes: Changes = {
        "docker": docker,
        "dind": {"image": own["docker-dind"], "allowed_images": ["**/*dind*:*"]},
    }
    job = start(JobRequest(image="docker:26.1-cli"), changes)
    said = job.up().output
    for kind in ("helper", "docker-dind"):
        assert WARNING.format(name=own[kind]) in said
    assert "Server:" in job.script("docker version").passed().output

    listed = start(JobRequest(services=[{"name": own["docker-dind"]}]), changes)
    refused = [
        start(JobRequest(image=own["build"]), changes),
        start(JobRequest(services=[{"name": own["service"]}]), changes),
    ]
    with ThreadPoolExecutor() as pool:
        for each in (listed, *refused):
            each.config().passed()
        calls = list(pool.map(lambda each: each.prepare(), (listed, *refused)))
    assert [each.code for each in calls] == [0, SYSTEM_FAILURE, SYSTEM_FAILURE]

"""prepare against a stub: what is asked of an engine, from the first request to the last file."""

import json
import os
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from executor.shell.greetings import has_all
from executor.shell.serving import READY
from tests.builders import RUNNER_VALUES, TOKEN, a_payload, a_service, a_variable
from tests.engine.greeting import take
from tests.engine.stub import (
    UPGRADED,
    Answer,
    Connection,
    Received,
    StubEngine,
    events,
    frame,
    http,
    refusal,
    stub_engine,
)
from tests.patience import LONGEST_SECONDS

PREPARE = Path(__file__).parents[4] / "hooks" / "prepare"
ENDED = {
    "ExitCode": 3,
    "StartedAt": "2026-01-01T12:00:00.123Z",
    "FinishedAt": "2026-01-01T12:00:01.123Z",
}
DIGEST = "sha256:" + "d" * 64
HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v17.9.0"


class Job:
    """A job, and an engine that does what it is asked."""

    def __init__(self, stub: StubEngine, directory: Path) -> None:
        self.stub = stub
        self.directory = directory
        self.files: dict[str, bytes] = {}
        self.payload = a_payload()
        self.settings = ""
        stub.on("GET", "^/version", http(200, {"ApiVersion": "1.41", "Arch": "amd64"}))
        stub.on("POST", "/images/create", events({"status": f"Digest: {DIGEST}"}))
        stub.on("GET", "/images/.*/json", self._inspect)
        stub.on("POST", "/(networks|volumes|containers)/create", http(201, {"Id": "new"}))
        stub.on("POST", "/containers/.*/start", http(204))
        stub.on("POST", "/containers/.*/attach", self._attach)
        # An entrypoint that does not hand over has ended by itself.
        stub.on("POST", "/containers/.*/wait", http(200, {"StatusCode": 3}))
        stub.on("GET", "/containers/.*-(build|helper)/json", http(200, {"State": ENDED}))
        stub.on("GET", "/events", events({"Action": "die"}))

    def prepare(self) -> subprocess.Popen[str]:
        """Start prepare as gitlab-runner does."""
        (self.directory / "response.json").write_text(json.dumps(self.payload))
        (self.directory / "settings.toml").write_text(
            f'{self.settings}\n[log]\npath = "{self.directory}/operator.log"\n'
        )
        values = {**RUNNER_VALUES, "CI_JOB_TOKEN": TOKEN}
        return subprocess.Popen(
            [str(PREPARE), "--settings", str(self.directory / "settings.toml")],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.directory),
                "DOCKER_HOST": self.stub.host,
                "TMPDIR": str(self.directory),
                "JOB_RESPONSE_FILE": str(self.directory / "response.json"),
                **{f"CUSTOM_ENV_{key}": value for key, value in values.items()},
            },
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Return exit code and all output."""
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        return process.returncode, out + err

    def created(self) -> dict[str, dict[str, object]]:
        """Return what containers were asked for, by the end of their names."""
        return {
            each.path.partition("name=")[2].rpartition("-")[2]: each.json()
            for each in self.stub.asked("POST", "/containers/create")
        }

    def pulled(self) -> list[str]:
        """Return the images that were pulled."""
        return [
            unquote(each.path.partition("fromImage=")[2])
            for each in self.stub.asked("POST", "/images/create")
        ]

    def _inspect(self, connection: Connection, received: Received) -> None:
        name = unquote(received.path).rpartition("/images/")[2].removesuffix("/json")
        if "@" not in name:
            connection.send(refusal(404, "no such image"))
            return
        config = {"Env": ["DOCKER_TLS_CERTDIR=/certs"]}  # as all of Docker's images have it
        connection.send(http(200, {"Id": f"id of {name}", "RepoDigests": [name], "Config": config}))

    def _attach(self, connection: Connection, received: Received) -> None:
        connection.send(UPGRADED)
        name = received.path.partition("/containers/")[2].partition("/")[0]
        self.files[name.rpartition("-")[2]] = take(connection, name=name)
        runs_scripts = "stderr=1" in received.path
        said = f"{READY}\n".encode() if runs_scripts else has_all(name)
        connection.send(frame(1, said))


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Return a job on an engine that does what it is asked."""
    with stub_engine(tmp_path) as stub:
        yield Job(stub, tmp_path)


def test_a_job_on_default_settings(job: Job) -> None:
    """Helper, build and sidecar run what was pulled, and no key needs to be set."""
    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert sorted(job.pulled()) == sorted(["docker:20.10.16", "docker:29-dind", HELPER])
    assert {name: each["Image"] for name, each in job.created().items()} == {
        "helper": f"id of {HELPER.partition(':')[0]}@{DIGEST}",
        "build": f"id of docker@{DIGEST}",
        "dind": f"id of docker@{DIGEST}",
    }
    assert f"Pulling docker image {HELPER} ..." in output
    assert f"Using docker image id of docker@{DIGEST} for docker:29-dind with digest" in output


def test_no_volume_is_asked_for_twice(job: Job) -> None:
    """That of dind's data is there with the job's claims, and dind's container names it."""
    code, output = job.finish(job.prepare())

    assert code == 0, output
    asked = [each.json()["Name"] for each in job.stub.asked("POST", "/volumes/create")]
    (data,) = (each for each in asked if str(each).endswith("-docker"))
    assert len(set(asked)) == len(asked)
    assert f'"Source": "{data}"' in json.dumps(job.created()["dind"])


def test_a_helper_that_is_there_is_not_pulled(job: Job) -> None:
    """The helper image is used as it is, as under the Docker executor."""
    job.stub.on("GET", f"/images/{HELPER}/json", http(200, {"Id": "id of the helper"}))

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert HELPER not in job.pulled()
    assert job.created()["helper"]["Image"] == "id of the helper"


def test_an_image_that_is_also_the_helper_is_pulled(job: Job) -> None:
    """The job's image is always the registry's."""
    job.settings = '[docker]\nhelper_image = "docker:20.10.16"'
    job.stub.on("GET", "/images/docker:20.10.16/json", http(200, {"Id": "stale"}))

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert "docker:20.10.16" in job.pulled()
    assert job.created()["build"]["Image"] == f"id of docker@{DIGEST}"


def test_keys_and_logins_travel_by_stdin_only(job: Job) -> None:
    """No request that shows in `docker inspect` or in an event has a word of them."""
    job.payload = a_payload(
        variables=[
            a_variable("CI_JOB_TOKEN", TOKEN, public=False, masked=True),
            a_variable("URL", f"https://x:{TOKEN}@host"),
        ],
        credentials=[
            {"type": "registry", "url": "r:5000", "username": "ci", "password": "hunter2"}
        ],
        services=[a_service("docker:dind")],
    )

    code, output = job.finish(job.prepare())

    assert code == 0, output
    shown = [each.path.encode() + each.body for each in job.stub.received]
    log = (job.directory / "operator.log").read_bytes()
    for secret in (TOKEN.encode(), b"hunter2", b"Y2k6aHVudGVyMg==", b"PRIVATE KEY"):
        assert not [each for each in shown if secret in each]
        assert secret not in log
        assert secret.decode() not in output
    assert b"PRIVATE KEY" in job.files["dind"]
    assert b"PRIVATE KEY" in job.files["build"]
    assert b"Y2k6aHVudGVyMg==" in job.files["build"]
    assert job.files["helper"] == b""


def test_the_drivers_own_key_is_private(job: Job) -> None:
    """It lies beside the payload, in gitlab-runner's temporary directory of the job."""
    code, output = job.finish(job.prepare())

    assert code == 0, output
    (key,) = job.directory.glob("*/key.pem")
    assert key.stat().st_mode & 0o077 == 0
    assert key.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("path", "answer", "code", "sentence"),
    [
        ("/images/create.*docker.*20.10.16", refusal(404, "manifest unknown"), 1, "failed to pull"),
        ("/images/create.*helper", refusal(404, "manifest unknown"), 2, "helper_image"),
        ("/networks/create", refusal(500, "all predefined address pools"), 2, "no free subnet"),
        ("/volumes/create", refusal(500, "no space left on device"), 2, "disk"),
        ("/containers/create", refusal(400, "invalid mount"), 1, "rejects"),
        ("/containers/.*/start", refusal(500, "runc: operation not permitted"), 2, "privileged"),
        ("/containers/.*-build/attach", refusal(500, "broken"), 2, "could not start"),
        ("/containers/.*-build/attach", UPGRADED, 1, "entrypoint"),
        ("/containers/create", b"", 2, "cannot be reached"),
    ],
)
def test_whatever_fails_ends_prepare(
    job: Job, path: str, answer: bytes, code: int, sentence: str
) -> None:
    """The failing request's sentence and exit code are those of prepare."""
    job.stub.on("POST", path, answer)

    found, output = job.finish(job.prepare())

    assert found == code, output
    assert "ERROR: " in output
    assert sentence in output
    assert "unexpected" not in output
    assert "Traceback" not in output


def test_a_job_whose_sidecar_nobody_asked_for(job: Job) -> None:
    """It runs without it, and its log says why."""
    job.stub.on("POST", "/images/create.*29-dind", refusal(404, "manifest unknown"))

    code, output = job.finish(job.prepare())

    assert code == 0, output
    assert "WARNING: `docker` is not available in this job, because" in output
    assert "`[dind] image` of the runner's settings: failed to pull" in output
    assert sorted(job.created()) == ["build", "helper"]


def test_a_network_that_is_gone_is_made_again(job: Job) -> None:
    """A prune on the host removes one on which nothing runs yet: whoever needs it first sees."""
    gone = [False]

    def start(connection: Connection, received: Received) -> None:
        created = len(job.stub.asked("POST", "/networks/create"))
        if created < 2:
            gone[0] = True
            name = received.path.partition("/containers/")[2].rpartition("-")[0]
            connection.send(refusal(404, f"network {name} not found"))
        else:
            connection.send(http(204))

    job.stub.on("POST", "/containers/.*/start", start)

    code, output = job.finish(job.prepare())

    assert (code, gone) == (0, [True]), output


def test_an_engine_that_dies_at_any_request(job: Job) -> None:
    """The end at each request of the job's own in turn is a system failure, and never a crash."""
    job.settings = "[sweep]\nenabled = false"
    code, _ = job.finish(job.prepare())
    assert code == 0
    total = len(job.stub.received)
    served, lock = [0], threading.Lock()
    answer = job.stub.choose

    for last in range(total):
        served[0] = 0

        def until(received: Received, last: int = last) -> object:
            with lock:
                served[0] += 1
                return answer(received) if served[0] <= last else b""

        job.stub.choose = until  # type: ignore[assignment, method-assign]
        code, output = job.finish(job.prepare())

        assert code == 2, f"{last}: {output}"
        assert "unexpected" not in output, f"{last}: {output}"


def test_a_cancel_waits_for_what_is_under_way(job: Job) -> None:
    """Nothing new begins, and nothing appears after cleanup has looked."""
    asked, go_on = threading.Event(), threading.Event()

    def slowly(connection: Connection, _received: Received) -> None:
        asked.set()
        go_on.wait(LONGEST_SECONDS)
        connection.send(http(201, {"Id": "new"}))

    job.stub.on("POST", "/networks/create", slowly)
    process = job.prepare()
    assert asked.wait(LONGEST_SECONDS)
    os.killpg(process.pid, signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    go_on.set()
    code, output = job.finish(process)

    assert code == 2
    assert "unexpected" not in output
    assert not job.stub.asked("POST", "/containers/.*/start")


def test_a_cancel_ends_the_pause_before_another_pull(job: Job) -> None:
    """A registry that is down keeps nobody waiting who does not want the job any more."""
    job.stub.on("POST", "/images/create", refusal(500, "dial tcp: connection refused"))
    process = job.prepare()
    assert process.stdout
    assert any("(attempt #1), retrying: " in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGTERM)
    code, output = job.finish(process)

    assert code == 2, output
    assert "(attempt #2)" not in output
    assert len(set(job.pulled())) == len(job.pulled())


_PEER = struct.Struct("3i")
"""Process, user and group at the other end of a unix socket."""


class Canceller:
    """Signals a process as its request of some number arrives."""

    def __init__(self, stub: StubEngine) -> None:
        self._choose = stub.choose
        self._lock = threading.Lock()
        self._process = threading.Event()
        self._group = 0
        self._left = 0
        stub.choose = self._answer  # type: ignore[assignment,method-assign]

    def arm(self, number: int) -> None:
        """Count anew, before the process starts."""
        self._process.clear()
        self._left = number

    def aim(self, group: int) -> None:
        """Say which process it is."""
        self._group = group
        self._process.set()

    def _answer(self, _received: Received) -> Answer:
        def answer(connection: Connection, received: Received) -> None:
            self._count(connection)
            chosen = self._choose(received)
            if callable(chosen):
                chosen(connection, received)
            else:
                connection.send(chosen)

        return answer

    def _count(self, connection: Connection) -> None:
        """Count a request, unless the process before has left it: that one's may come late."""
        assert self._process.wait(LONGEST_SECONDS)
        peer = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        with self._lock:
            if _PEER.unpack(peer)[0] == self._group:
                self._left -= 1
                if self._left == 0:
                    os.killpg(self._group, signal.SIGTERM)


def test_a_cancel_at_any_request(job: Job) -> None:
    """SIGTERM as each request in turn arrives is no fault of ours."""
    code, _ = job.finish(job.prepare())
    assert code == 0
    total = len(job.stub.received)
    canceller = Canceller(job.stub)

    for number in range(1, total + 1):
        canceller.arm(number)
        process = job.prepare()
        canceller.aim(process.pid)
        code, output = job.finish(process)

        assert code in {0, 2}, f"{number}: {output}"
        for word in ("unexpected", "Traceback", "ignored"):
            assert word not in output, f"{number}: {output}"

"""An ordinary job, as gitlab-runner hands it to a stage, and an engine that grants what it asks.

The programs below run in the interpreter of an installed version, which may be an older one.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from executor.shell import greetings
from executor.shell.serving import READY
from tests.engine.stub import (
    UPGRADED,
    Connection,
    Received,
    StubEngine,
    events,
    frame,
    http,
    refusal,
    stub_engine,
)

VARIABLES = 160
"""gitlab-runner passes every variable of a job to every call; a job of GitLab has about so many."""

SCRIPT_MARK = b"# this is the script\n"
_DIGEST = "sha256:" + "d" * 64


@dataclass(frozen=True, slots=True)
class OrdinaryJob:
    """The files and the environment of a call."""

    directory: Path
    settings: Path
    script: Path
    environment: dict[str, str]

    @property
    def arguments(self) -> list[str]:
        """Return the arguments that config.toml gives to each stage."""
        return ["--settings", str(self.settings)]


def write(directory: Path) -> OrdinaryJob:
    """Write a job that builds an image: a dind service, TLS variables, a login, 160 variables."""
    values = {
        "CI_RUNNER_SHORT_TOKEN": "t3stt0ken",
        "CI_RUNNER_VERSION": "17.9.0",
        "CI_CONCURRENT_PROJECT_ID": "0",
        "CI_PROJECT_DIR": "/builds/group/project",
        "RUNNER_TEMP_PROJECT_DIR": "/builds/group/project.tmp",
        "CI_REGISTRY": "registry.example.com",
        "DOCKER_HOST": "tcp://docker:2376",
        "DOCKER_TLS_CERTDIR": "/certs",
        "IMAGE": "$CI_REGISTRY/group/project:$CI_RUNNER_VERSION",
        **{f"VARIABLE_{number}": f"a value {number} " * 4 for number in range(VARIABLES - 9)},
    }
    secret = {"CI_JOB_TOKEN": "glcbt-64_sample-token", "CI_REGISTRY_PASSWORD": "a-password-of-ci"}
    shown = [_variable(key, value, public=True) for key, value in values.items()]
    hidden = [_variable(key, value, public=False) for key, value in secret.items()]
    docker = {"docker": {"platform": "", "user": ""}}
    payload = {
        "id": 4711,
        "token": secret["CI_JOB_TOKEN"],
        "job_info": {"name": "build", "stage": "build", "project_id": 42},
        "git_info": {"repo_url": "https://gitlab.example.com/group/project.git"},
        "runner_info": {"timeout": 3600},
        "image": {"name": "docker:28", "executor_opts": docker},
        "services": [{"name": "docker:28-dind", "executor_opts": docker}],
        "variables": [*shown, *hidden],
        "credentials": [
            {
                "type": "registry",
                "url": "registry.example.com",
                "username": "gitlab-ci-token",
                "password": secret["CI_JOB_TOKEN"],
            }
        ],
    }
    response, settings, script = (directory / name for name in ("job.json", "job.toml", "script"))
    response.write_text(json.dumps(payload), encoding="utf-8")
    settings.write_text(
        f'[docker]\nhost = "unix://{directory}/engine.sock"\n'
        f'[log]\ndestination = "file"\npath = "{directory}/log.jsonl"\n',
        encoding="utf-8",
    )
    script.write_bytes(b"#!/usr/bin/env bash\n" + SCRIPT_MARK)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "BUILD_FAILURE_EXIT_CODE": "1",
        "SYSTEM_FAILURE_EXIT_CODE": "2",
        "BUILD_EXIT_CODE_FILE": str(directory / "build_exit_code"),
        "JOB_RESPONSE_FILE": str(response),
        **{f"CUSTOM_ENV_{key}": value for key, value in {**values, **secret}.items()},
    }
    return OrdinaryJob(directory, settings, script, environment)


@contextmanager
def engine(job: OrdinaryJob) -> Iterator[StubEngine]:
    """Serve an engine that does what it is asked, where the job's settings have it."""
    (job.directory / "engine.sock").unlink(missing_ok=True)
    with stub_engine(job.directory) as stub:
        stub.on("GET", "^/version", http(200, {"ApiVersion": "1.41", "Arch": "amd64"}))
        stub.on("POST", "/images/create", events({"status": f"Digest: {_DIGEST}"}))
        stub.on("GET", "/images/.*/json", _image)
        stub.on("POST", "/(networks|volumes|containers)/create", http(201, {"Id": "new"}))
        stub.on("POST", "/containers/.*/start", http(204))
        stub.on("POST", "/containers/.*/attach", _take)
        yield stub


def _variable(key: str, value: str, *, public: bool) -> dict[str, object]:
    flags = {"public": public, "masked": not public, "file": False, "raw": False}
    return {"key": key, "value": value, **flags}


def _image(connection: Connection, received: Received) -> None:
    name = unquote(received.path).rpartition("/images/")[2].removesuffix("/json")
    if "@" not in name:
        connection.send(refusal(404, "no such image"))
        return
    config = {
        "Entrypoint": ["dockerd-entrypoint.sh"],
        "ExposedPorts": {"2375/tcp": {}, "2376/tcp": {}},
        "Volumes": {"/var/lib/docker": {}},
    }
    connection.send(http(200, {"Id": f"id of {name}", "RepoDigests": [name], "Config": config}))


def _take(connection: Connection, received: Received) -> None:
    """Take what a container is sent, and answer as it does, by the rules of any version.

    One that waits to be asked gets more than it has to: it takes what fits, and then goes.
    """
    name = received.path.split("/")[-2]
    asked = [greetings.asks(name, what) for what in (greetings.VARIABLES, greetings.FILES)]
    connection.send(UPGRADED, *(frame(1, line) for line in asked))
    with suppress(ConnectionError):
        while end := connection.file.readline():
            if end.startswith(b"files-"):
                connection.send(frame(1, greetings.hears(name, end)))
            text = line = end
            while line and not text.endswith(end + b"\n"):
                line = connection.file.readline()
                text += line
            ready = f"{READY}\n".encode()
            for said in (greetings.has_all(name), greetings.asks(name, greetings.FILES), ready):
                connection.send(frame(1, said))


AT_END = """\
import os, sys
exits = os._exit
def end(code):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(sys.modules))
    exits(code)
os._exit = end
sys.argv[1:] = ["prepare", *{args!r}]
from executor.__main__ import main
main()
"""
"""A `prepare` call that writes down what it has loaded."""

PLANNING = """\
import sys, time
from executor.spec import ImageFacts, Surroundings
from dataclasses import replace
try:
    from executor.certs import Certificates
    from executor.env import RunnerEnv
    from executor.image_plan import plan_images
    from executor.inputs import read_inputs
    from executor.plan import plan_environment
    from executor.sidecar import choose_sidecar
    is_old = True
except ImportError:
    from executor.plan.environment import plan_environment
    from executor.plan.images import plan_images
    from executor.plan.inputs import Facts
    from executor.plan.sidecar import choose_sidecar
    from executor.reading import read_basics, read_inputs
    from executor.runner.environ import RunnerEnv
    from executor.spec import Certificates
    is_old = False

def read(args):
    return read_inputs(env, args) if is_old else read_basics(env, args)

dind = ImageFacts("sha256:d", ("dockerd-entrypoint.sh",), (), ("2375/tcp", "2376/tcp"),
    ("/var/lib/docker",))
certificates = Certificates(b"ca", b"server", b"key", b"client", b"key")
env = RunnerEnv.current()
basics = read({args!r})

def plan():
    if is_old:
        inputs = basics.request(env)
        inputs.secrets()
    else:
        inputs = read_inputs(env, basics)
        assert inputs.secrets
    images = plan_images(inputs)
    sidecar = choose_sidecar(inputs, images, {{pull: dind for pull in images.services}})
    if is_old:
        inputs = replace(inputs, surroundings=Surroundings())
        plan_environment(inputs, images, sidecar, certificates)
    else:
        plan_environment(inputs, images, sidecar, Facts(Surroundings(), certificates))

plan()
start = time.perf_counter()
for _ in range({plans}):
    plan()
print((time.perf_counter() - start) / {plans})
"""
"""Plans the job some times after a first one, and prints the seconds that one takes."""

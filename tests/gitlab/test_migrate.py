"""What `migrate` writes runs jobs through a real gitlab-runner, and what it says is true of them.

Every shape has its golden output; here are those whose jobs behave in different ways.

The settings and the section are those that the command prints.  The rig puts its own images, engine
and runtime into them, and nothing else: see `_on_the_rig`.
"""

import re
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from tests import toml
from tests.gitlab import leftovers, runner, server, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.migrating import SHAPES, expected_path, section_of, sentences_of, settings_of
from tests.rig.paths import CERTS_D
from tests.rig.state import Rig

_IMAGE = "docker:26.1-cli"
_AT_ONCE = 3
_OWN_DAEMON = ["timeout 60 docker version", 'test -z "$(docker ps -aq)"', "docker pull -q busybox"]

FOLLOWED = {
    "plain-tcp": ["docker -H tcp://docker:2375 version"],
    "dind-with-alias": ['test "$DOCKER_TLS_CERTDIR" = ""', "docker -H tcp://engine:2375 version"],
    "tls-directory-elsewhere": [
        (
            "docker --tlsverify --tlscacert /tls/client/ca.pem --tlscert /tls/client/cert.pem"
            " --tlskey /tls/client/key.pem -H tcp://docker:2376 version"
        )
    ],
    "links": ['test -z "$(env | grep _TCP_ADDR)"', "getent hosts db"],
    "root-of-host": ["test -S /host$ENGINE_SOCKET"],
    "host-socket": [],
    "shared-dind": ['test "$TEAM" = blue'],
    "never-pull": [],
    "login-in-quotes": [],
}
"""Further lines of the script, for what the sentences of a shape say; advice is followed."""

AGAINST = {
    "shared-dind": "dind-cache",
    "docker-host-localhost": "localhost",
    "remote-daemon": "/remote/ca.pem",
}
"""What docker says that it does not find where a variable stays: a daemon, or its certificates."""

WARNED = {
    "login-in-quotes": "Failed to resolve credentials from $DOCKER_AUTH_CONFIG: it is not JSON",
}
"""What the job log says of logins."""

Jobs = dict[tuple[str, bool], Future[Job]]


def _on_the_rig(rig: Rig, settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the rig's images, engine, runtime and trust in place of Docker Hub's."""
    of_rig = tomllib.loads(rig.settings.read_text(encoding="utf-8"))
    host_and_helper = {key: of_rig["docker"][key] for key in ("host", "helper_image")}
    given = settings.get("docker", {}) | host_and_helper | {"image": _IMAGE}
    if "volumes" in given:  # a directory that is there: the engine makes those that are not
        given["volumes"] = [each.replace("/srv/remote", str(CERTS_D)) for each in given["volumes"]]
    for service in given.get("services", ()):
        service["name"] = (
            rig.dind_image if "dind" in service["name"] else rig.special("tools/web:1")
        )
    return settings | {"docker": given, "dind": {**settings.get("dind", {}), **of_rig["dind"]}}


def _section(said: str, shape: Path, settings: Path, *, followed: bool) -> dict[str, object]:
    """Return the printed section with these hooks; its variables stay, or go where advised."""
    (printed,) = tomllib.loads(section_of(said))["runners"]
    (before,) = tomllib.loads(shape.read_text(encoding="utf-8"))["runners"]
    custom: Any = runner.custom(settings)["custom"]
    gone = [
        found[1]
        for each in sentences_of(said)
        if (found := re.search(r"environment (\w+): (remove it|you can remove it|decide)", each))
    ]
    lines = [
        each
        for each in before.get("environment", ())
        if not followed or each.partition("=")[0] not in gone
    ]
    return {**printed, "environment": lines, "custom": {**printed["custom"], **custom}}


def _run(rig: Rig, shape: Path, directory: Path, checkout: Checkout, *, followed: bool) -> Job:
    said = expected_path(shape).read_text(encoding="utf-8")
    directory.mkdir()
    settings = directory / "settings.toml"
    written = _on_the_rig(rig, tomllib.loads(settings_of(said)))
    settings.write_text(toml.dumps(written), encoding="utf-8")
    script = [*_OWN_DAEMON, *FOLLOWED.get(shape.stem, ())]
    if not followed:
        script = ["if timeout 60 docker version 2>&1; then exit 3; fi"]
    engine_socket = rig.engine_host.removeprefix("unix://")
    variables = {"GIT_STRATEGY": "none", "ENGINE_SOCKET": engine_socket}
    pipeline = yaml.safe_dump({"job": {"variables": variables, "script": script}})
    section = _section(said, shape, settings, followed=followed)
    with server.serving(directory / "repositories", rig.address) as gitlab:
        pushed = Pushed(gitlab, checkout)
        with runner.working(gitlab, section, directory / "runner"):
            (job,) = pushed.run(parse_pipeline(pipeline, "test")).values()
        leftovers.remove_lasting(rig.engine_host, gitlab.runner_token)
        assert leftovers.of_jobs(rig.engine_host, [job]) == []
    return job


@pytest.fixture(scope="module")
def jobs(rig: Rig, checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """A job of each shape, and one more where advice is not followed; some at once."""
    client = docker.DockerClient(rig.engine_host)
    for image in (_IMAGE, rig.dind_image, rig.helper_image):  # for the shape that pulls nothing
        client.images.pull(image)
    client.close()
    directory = tmp_path_factory.mktemp("shapes")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {
            (shape.stem, followed): pool.submit(
                _run,
                rig,
                shape,
                directory / f"{shape.stem}-{followed}",
                checkout,
                followed=followed,
            )
            for shape in SHAPES
            for followed in (True, False)
            if shape.stem in (FOLLOWED if followed else AGAINST)
        }


@pytest.mark.parametrize("shape", sorted(FOLLOWED))
def test_a_job_with_what_is_written(jobs: Jobs, shape: str) -> None:
    """The job has a daemon of its own, and finds what the sentences promise."""
    job = jobs[shape, True].result()

    log = trace.plain(job.trace)
    assert job.state == "success", log
    assert WARNED.get(shape, "") in log


@pytest.mark.parametrize("shape", sorted(AGAINST))
def test_a_job_with_what_should_go(jobs: Jobs, shape: str) -> None:
    """The variable that the command asks to remove keeps docker from any daemon, as it says."""
    job = jobs[shape, False].result()

    log = trace.plain(job.trace)
    assert job.state == "success", log
    assert AGAINST[shape] in log.partition("docker version")[2]

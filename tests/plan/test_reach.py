"""How a job's Docker client finds the sidecar."""

import pytest

from executor.plan.images import plan_images
from executor.plan.inputs import Inputs
from executor.plan.reach import Reach, heeding_image, plan_reach
from executor.plan.sidecar import choose_sidecar, sidecar_aliases
from executor.shell import SOCKET
from executor.spec import ContainerSpec, ImageFacts
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import DIND, a_plan

FULL = {
    "DOCKER_HOST": "tcp://docker:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CERT_PATH": "/certs/client",
    "DOCKER_TLS_CERTDIR": "/certs",
}
PLAIN = {"DOCKER_HOST": "tcp://docker:2375", "DOCKER_TLS_CERTDIR": ""}
SILENT = {"DOCKER_HOST": f"unix://{SOCKET}", "TESTCONTAINERS_HOST_OVERRIDE": "docker"}
NOTHING: dict[str, str] = {}
DINDS = [a_service("docker:dind", alias="builder")]
OTHER_DIND = [a_service("docker:dind", variables=[a_variable("DOCKER_TLS_CERTDIR", "")])]


def reach_of(inputs: Inputs, *, shares_socket: bool = True) -> Reach:
    """Return how a job reaches its sidecar."""
    images = plan_images(inputs)
    sidecar = choose_sidecar(inputs, images, dict.fromkeys(images.services, DIND))
    aliases = sidecar_aliases(sidecar) if sidecar else ()
    return plan_reach(inputs, sidecar, aliases, shares_socket=shares_socket)


@pytest.mark.parametrize(
    ("variables", "services", "told", "defaults"),
    [
        # silent
        ({}, [], NOTHING, SILENT),
        ({}, DINDS, NOTHING, SILENT),
        ({"DOCKER_TLS_CERTDIR": "/certs"}, [], NOTHING, SILENT),
        ({"DOCKER_DRIVER": "overlay2", "DOCKER_CONTEXT": ""}, DINDS, NOTHING, SILENT),
        # the sidecar's transport is named
        ({"DOCKER_TLS_CERTDIR": "/certs"}, DINDS, FULL, NOTHING),
        ({"DOCKER_HOST": "tcp://docker:2376"}, [], FULL, NOTHING),
        ({"DOCKER_HOST": "https://builder:2376/"}, DINDS, FULL, NOTHING),
        ({"DOCKER_HOST": "Docker:2376"}, [], FULL, NOTHING),
        ({"DOCKER_TLS_VERIFY": "1"}, [], FULL, NOTHING),
        ({"DOCKER_TLS": "1"}, [], FULL, NOTHING),
        ({"DOCKER_CERT_PATH": "/certs/client"}, [], FULL, NOTHING),
        ({"DOCKER_TLS_CERTDIR": ""}, [], PLAIN, NOTHING),
        ({"DOCKER_HOST": "tcp://docker:2375"}, [], PLAIN, NOTHING),
        ({}, OTHER_DIND, PLAIN, NOTHING),
        # another daemon, or none
        ({"DOCKER_HOST": "tcp://builder:2376"}, [], NOTHING, NOTHING),
        ({"DOCKER_HOST": "ssh://deploy@docker"}, [], NOTHING, NOTHING),
        ({"DOCKER_HOST": "unix:///var/run/docker.sock"}, [], NOTHING, NOTHING),
        ({"DOCKER_HOST": ""}, [], NOTHING, NOTHING),
        ({"DOCKER_CONTEXT": "prod"}, [], NOTHING, {"DOCKER_HOST": f"unix://{SOCKET}"}),
        ({"DOCKER_CONTEXT": "prod", "DOCKER_HOST": "tcp://far:1"}, [], NOTHING, NOTHING),
    ],
)
def test_what_a_job_says_decides(
    variables: dict[str, str],
    services: list[dict[str, object]],
    told: dict[str, str],
    defaults: dict[str, str],
) -> None:
    """A silent job has next to no variables, and one that names a transport all of them."""
    given = [a_variable(*each) for each in variables.items()]

    reach = reach_of(some_inputs(variables=given, services=services))

    assert reach.environment == told
    assert reach.defaults.silent == defaults
    assert reach.socket == SOCKET


def test_what_the_administrator_says_of_tls_names_nothing() -> None:
    """A directory for certificates in config.toml is meant for all jobs, those without Docker too."""
    inputs = some_inputs(values={"DOCKER_TLS_CERTDIR": "/certs"}, services=DINDS)

    assert reach_of(inputs).defaults.silent == SILENT


def test_without_a_socket_every_job_gets_the_variables() -> None:
    """As long as it names no other daemon."""
    assert reach_of(some_inputs(), shares_socket=False).environment == FULL
    other = some_inputs(variables=[a_variable("DOCKER_HOST", "tcp://far:2376")])
    assert reach_of(other, shares_socket=False).environment == {}


def test_without_a_sidecar_there_is_nothing() -> None:
    """Nor is anything said."""
    assert reach_of(some_inputs(settings='dind.mode = "service"')) == Reach()


def test_scripts_have_another_way_where_no_socket_comes() -> None:
    """The one of jobs that name the transport."""
    reach = reach_of(some_inputs())

    assert reach.client.otherwise == tuple(f"{key}={value}" for key, value in FULL.items())


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ((), SILENT),
        (("PATH=/bin", "DOCKER_CONFIG=/x"), SILENT),
        (("TESTCONTAINERS_HOST_OVERRIDE=x",), {"DOCKER_HOST": SILENT["DOCKER_HOST"]}),
        (("DOCKER_HOST=tcp://far:1",), {"TESTCONTAINERS_HOST_OVERRIDE": "docker"}),
        (
            ("DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/own"),
            {"DOCKER_HOST": FULL["DOCKER_HOST"], "DOCKER_TLS_CERTDIR": "/certs"},
        ),
    ],
)
def test_an_images_word_stands(own: tuple[str, ...], expected: dict[str, str]) -> None:
    """What it says is not said again, and one that names TLS gets the rest of that."""
    spec = a_plan(some_inputs()).build

    heeding = heeding_image(spec, ImageFacts("sha256:1", environment=own))

    added = {key: heeding.environment[key] for key in heeding.environment.keys() - spec.environment}
    assert added == expected


@pytest.mark.parametrize(
    ("users", "images", "linked"),
    [
        ("", "", False),
        ("", "root", False),
        ("0:1000", "ci", False),
        ("", "1000", True),
        ("ci", "", True),
        ("ci:root", "root", True),
    ],
)
def test_the_engine_makes_the_link_of_other_users(users: str, images: str, *, linked: bool) -> None:
    """Root's own program makes it, without a request."""
    inputs = some_inputs(settings='docker.volumes = ["/cache", "/srv:/run"]\n')
    spec = a_plan(inputs).build
    changed = ContainerSpec(spec.name, spec.image, {}, "", user=users, link=spec.link)

    heeding = heeding_image(changed, ImageFacts("sha256:1", user=images))

    assert bool(heeding.link) is linked
    assert spec.link
    assert spec.link.path == "/var/run/docker.sock"
    assert {"/cache", "/run"} <= set(spec.link.unless)


def test_volumes_of_other_containers_may_be_anywhere() -> None:
    """Nobody knows where, so the engine makes no link, and the keeper looks."""
    plan = a_plan(some_inputs(settings='docker.volumes_from = ["tools"]'))

    assert plan.build.link is None
    assert "_joined='yes'" in plan.build.command[2]


@pytest.mark.parametrize(
    ("settings", "service", "shared"),
    [
        ("", {}, True),
        ("dind.socket = false", {}, False),
        ('dind.runtime = "kata-runtime"', {}, False),
        ('docker.runtime = "io.containerd.runsc.v1"', {}, False),
        ('dind.runtime = "kata"\ndind.socket = true', {}, True),
        ('dind.runtime = "sysbox-runc"', {}, True),
        ("", {"entrypoint": ["/my.sh"]}, True),
    ],
)
def test_who_shares_the_socket(settings: str, service: dict[str, object], *, shared: bool) -> None:
    """Sidecar and build container mount its volume, if sockets lead from one to the other."""
    plan = a_plan(some_inputs(settings=settings, services=[a_service("docker:dind", **service)]))

    name = "dind-executor-4711-0123456789-socket"
    assert plan.dind
    mounting = [
        each.name.rpartition("-")[2]
        for each in (plan.dind, plan.build, plan.helper, *plan.services)
        if name in dict(each.mounts)
    ]
    assert mounting == (["dind", "build"] if shared else [])
    assert [each.name for each in plan.volumes if each.name == name] == [name] * shared
    assert (SOCKET in plan.dind.prelude) is shared

"""Which image the sidecar runs, and which services it stands for."""

from dataclasses import replace

import pytest

from executor.errors import (
    ExecutorError,
    PolicyViolation,
    ServiceConflict,
    UnsupportedJobOption,
)
from executor.names import TRANSPORT_LABEL
from executor.plan.images import plan_images
from executor.plan.sidecar import choose_sidecar
from executor.spec import ImageFacts, Pull
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import (
    CACHE,
    CACHE_VARIABLES,
    DIND,
    DIND_SERVICE,
    OTHER,
    a_plan,
    planned,
    service,
)


@pytest.mark.parametrize(
    ("services", "facts", "settings", "image", "replaced"),
    [
        ([], {}, "", "docker:29-dind", False),
        (["docker:dind"], {"docker:dind": DIND}, "", "docker:dind", False),
        # dind by what it is: its name is not admitted, so that the administrator's runs
        (["r/engine:1"], {"r/engine:1": DIND}, "", "docker:29-dind", True),
        (
            ["r/engine:1"],
            {"r/engine:1": DIND},
            '[dind]\nallowed_images = ["r/*:*"]',
            "r/engine:1",
            False,
        ),
        (
            ["docker:dind"],
            {"r/mine:1": DIND},
            '[dind]\nimage = "r/mine:1"\nallowed_images = ["nothing"]',
            "r/mine:1",
            True,
        ),
        (["postgres:16"], {"postgres:16": OTHER}, "", "docker:29-dind", False),
    ],
)
def test_which_image_the_sidecar_runs(
    services: list[str],
    facts: dict[str, object],
    settings: str,
    image: str,
    *,
    replaced: bool,
) -> None:
    """The job's own runs where the administrator admits it, else the administrator's."""
    inputs = some_inputs(services=[a_service(each) for each in services], settings=settings)

    images = plan_images(inputs)

    sidecar = choose_sidecar(
        inputs,
        images,
        {pull: facts[pull.image] for pull in images.services},  # type: ignore[misc]
    )

    assert sidecar
    assert (sidecar.pull.image, sidecar.replaced) == (image, replaced)


@pytest.mark.parametrize("services", [[], ["postgres:16"]])
def test_no_sidecar_where_nobody_asked(services: list[str]) -> None:
    """The administrator may want one only for jobs that list a dind service."""
    inputs = some_inputs(
        services=[a_service(each) for each in services], settings='[dind]\nmode = "service"'
    )
    images = plan_images(inputs)

    assert choose_sidecar(inputs, images, dict.fromkeys(images.services, OTHER)) is None


@pytest.mark.parametrize(
    ("inputs_of", "error"),
    [
        (
            {"services": [a_service("docker:dind"), a_service("docker:27-dind")]},
            ServiceConflict,
        ),
        (
            {"services": [a_service("postgres:16", alias="docker"), a_service("docker:dind")]},
            ServiceConflict,
        ),
        (
            {
                "services": [
                    a_service("docker:dind", variables=[a_variable("DOCKER_TLS_CERTDIR", "")])
                ],
                "settings": "[dind]\nallow_plain_tcp = false",
            },
            PolicyViolation,
        ),
        (
            {
                "variables": [a_variable("DOCKER_TLS_CERTDIR", "x")],
                "services": [a_service("docker:dind")],
            },
            UnsupportedJobOption,
        ),
    ],
)
def test_sidecars_that_cannot_be(inputs_of: dict[str, object], error: type[ExecutorError]) -> None:
    """Each is refused with its sentence (see the tests of services)."""
    with pytest.raises(error):
        planned(some_inputs(**inputs_of))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["always", "service"])
def test_the_administrators_dind_is_every_jobs_sidecar(mode: str) -> None:
    """It has its own image and arguments, whatever `[dind] allowed_images` says of authors."""
    settings = f'[dind]\nmode = "{mode}"\nallowed_images = ["nothing"]\n{DIND_SERVICE}'
    plan = a_plan(some_inputs(settings=settings))

    assert plan.dind
    assert plan.dind.image == "registry.corp.example/docker:27-dind"
    assert plan.dind.command == ("--debug",)
    assert plan.dind.aliases[0] == "docker"
    assert plan.services == ()


def test_a_variable_admits_no_dind() -> None:
    """Whoever chooses a privileged image has the host, and a job chooses its variables."""
    settings = '[[docker.services]]\nname = "$ENGINE"'
    variables = [a_variable("ENGINE", "evil.example/my-dind:1")]
    services = [a_service("docker:dind", alias="builder")]
    plan = a_plan(some_inputs(settings=settings, variables=variables, services=services))

    assert plan.dind
    assert (plan.dind.image, plan.services) == ("docker:29-dind", ())
    assert "builder" in plan.dind.aliases
    assert 'not allow the dind image "evil.example/my-dind:1"' in plan.notices[0]


def test_the_administrators_dind_stands_for_the_jobs_own() -> None:
    """The job's is not even pulled; the names of both lead to it, and the author is told."""
    inputs = some_inputs(
        settings=DIND_SERVICE,
        services=[
            a_service(
                "docker:20.10.16-dind",
                alias="builder",
                variables=[a_variable("DOCKER_TLS_CERTDIR", "")],
            )
        ],
    )
    plan = a_plan(inputs)

    assert {each.image for each in plan_images(inputs).services} == {
        "registry.corp.example/docker:27-dind"
    }
    assert plan.dind
    assert plan.dind.image == "registry.corp.example/docker:27-dind"
    assert {"docker", "builder", "registry.corp.example-docker"} <= set(plan.dind.aliases)
    assert plan.dind.environment["DOCKER_TLS_CERTDIR"] == ""
    assert "".join(plan.notices) == (
        'WARNING: Skipping service "docker:20.10.16-dind": this runner\'s own Docker-in-Docker'
        ' service "registry.corp.example/docker:27-dind" runs instead, under the same names.'
    )


def test_a_conflict_of_the_jobs_stays_the_jobs() -> None:
    """An administrator's service that is no dind changes nothing about it."""
    inputs = some_inputs(
        settings=CACHE,
        variables=CACHE_VARIABLES,
        services=[a_service("docker:dind"), a_service("docker:26-dind")],
    )
    facts = {
        Pull("tools/cache:3"): OTHER,
        Pull("docker:dind"): DIND,
        Pull("docker:26-dind"): DIND,
    }

    with pytest.raises(ServiceConflict, match='"docker:dind" and "docker:26-dind" are both'):
        choose_sidecar(inputs, plan_images(inputs), facts)


@pytest.mark.parametrize("mode", ["always", "service"])
def test_a_service_with_the_sidecars_name(mode: str) -> None:
    """The job lists it and no dind, so it runs under its name, as without dind-executor."""
    services = [a_service("postgres:16", alias="docker")]
    inputs = some_inputs(services=services, settings=f'[dind]\nmode = "{mode}"')
    plan = a_plan(inputs)

    assert plan_images(inputs).default_dind is None
    assert plan.dind is None
    assert "docker" in service(plan, 0).aliases
    assert "DOCKER_HOST" not in plan.build.environment
    told = [each for each in plan.notices if "so this job gets no Docker-in-Docker sidecar" in each]
    assert len(told) == (mode == "always")


PLAIN = {"DOCKER_TLS_CERTDIR": ""}
NAMED = {"DOCKER_HOST": "tcp://docker:2375"}


@pytest.mark.parametrize(
    ("variables", "settings", "notice"),
    [
        (PLAIN, "[dind]\nallow_plain_tcp = false", 'sets DOCKER_TLS_CERTDIR to ""'),
        (NAMED, "[dind]\nallow_plain_tcp = false", "sets DOCKER_HOST to tcp://docker:2375"),
        ({"DOCKER_TLS_CERTDIR": "certs", **NAMED}, "", ""),
        ({"DOCKER_TLS_CERTDIR": "certs", "DOCKER_DRIVER": "overlay"}, "", ""),
    ],
)
def test_a_transport_that_no_service_stands_for(
    variables: dict[str, str], settings: str, notice: str
) -> None:
    """What a pipeline says for all of its jobs refuses none that lists no dind: it gets TLS."""
    own = [a_variable(key, value) for key, value in variables.items()]
    plan = a_plan(some_inputs(variables=own, settings=settings))

    assert plan.dind
    assert plan.dind.labels[TRANSPORT_LABEL] == "tls"
    assert [notice in each for each in plan.notices] == [True] * bool(notice)


SERVICE_FOR = {
    "a dind service": ({"services": [a_service("docker:dind")]}, True),
    "the administrator's dind service": ({"settings": DIND_SERVICE}, True),
    "a dind service that is replaced": ({"services": [a_service("corp/my-dind:1")]}, True),
    "nothing": ({}, False),
    "another service": ({"services": [a_service("postgres:16")]}, False),
    "DOCKER_HOST": ({"variables": [a_variable("DOCKER_HOST", "tcp://docker:2375")]}, False),
    "another daemon": ({"variables": [a_variable("DOCKER_HOST", "tcp://prod:2376")]}, False),
    "the administrator's DOCKER_HOST": ({"values": {"DOCKER_HOST": "tcp://docker:2376"}}, False),
    "no such directory": ({"variables": [a_variable("DOCKER_TLS_CERTDIR", "certs")]}, False),
    "a driver": ({"variables": [a_variable("DOCKER_DRIVER", "overlay")]}, False),
}


@pytest.mark.parametrize(("inputs_of", "listed"), SERVICE_FOR.values(), ids=SERVICE_FOR)
def test_who_needs_its_sidecar(inputs_of: dict[str, object], *, listed: bool) -> None:
    """Only a listed service is part of the job, as under the Docker executor."""
    plan = a_plan(some_inputs(**inputs_of))  # type: ignore[arg-type]

    assert plan.dind
    assert plan.dind_is_optional is not listed


ASKS = {
    "DOCKER_HOST": ({"variables": [a_variable("DOCKER_HOST", "tcp://docker:2375")]}, True),
    "another daemon": ({"variables": [a_variable("DOCKER_HOST", "tcp://prod:2376")]}, False),
    "the administrator's DOCKER_HOST": ({"values": {"DOCKER_HOST": "tcp://docker:2376"}}, False),
    "a directory for certificates": (
        {"variables": [a_variable("DOCKER_TLS_CERTDIR", "/c")]},
        False,
    ),
    "no TLS": ({"variables": [a_variable("DOCKER_TLS_CERTDIR", "")]}, False),
    "a context": ({"variables": [a_variable("DOCKER_CONTEXT", "prod")]}, False),
}


@pytest.mark.parametrize(("inputs_of", "asks"), ASKS.values(), ids=ASKS)
def test_who_tells_the_sidecar_something(
    inputs_of: dict[str, list[dict[str, object]]], *, asks: bool
) -> None:
    """A job that names the sidecar means it with its other variables, too."""
    driver = a_variable("DOCKER_DRIVER", "vfs")
    variables = [*inputs_of.get("variables", []), driver]
    plan = a_plan(some_inputs(**{**inputs_of, "variables": variables}))  # type: ignore[arg-type]

    assert plan.dind
    assert ("DOCKER_DRIVER" in plan.dind.environment) is asks


TALKS_PLAINLY = ["dockerd", "--host=tcp://0.0.0.0:2375"]
WITHOUT_TLS = replace(DIND, environment=(), ports=("2375/tcp",))
ONLY_TLS = "[dind]\nallow_plain_tcp = false"


@pytest.mark.parametrize(
    ("command", "facts", "variables", "settings", "way"),
    [
        (TALKS_PLAINLY, DIND, {}, "", "tcp"),
        ([], WITHOUT_TLS, {}, "", "tcp"),
        ([], DIND, {}, "", "tls"),
        (TALKS_PLAINLY, DIND, {"DOCKER_TLS_CERTDIR": "/certs"}, "", "tls"),
        ([], WITHOUT_TLS, {"DOCKER_HOST": "tcp://docker:2376"}, "", "tls"),
        ([], WITHOUT_TLS, {"DOCKER_HOST": "tcp://docker:2375"}, "", "tcp"),
        # the administrator's word, which dockerd is told
        (TALKS_PLAINLY, DIND, {}, ONLY_TLS, "tls"),
        ([], WITHOUT_TLS, {}, ONLY_TLS, "tls"),
        # another image runs
        (TALKS_PLAINLY, DIND, {}, '[dind]\nallowed_images = ["x"]', "tls"),
    ],
)
def test_a_service_that_does_without_tls(
    command: list[str], facts: ImageFacts, variables: dict[str, str], settings: str, way: str
) -> None:
    """The job reaches it so, unless a variable or the administrator says otherwise."""
    own = [a_variable(key, value) for key, value in variables.items()]
    services = [a_service("docker:dind", command=command)]
    inputs = some_inputs(services=services, variables=own, settings=settings)
    dind = a_plan(inputs, dict.fromkeys(plan_images(inputs).services, facts)).dind

    assert dind
    assert dind.labels[TRANSPORT_LABEL] == way
    assert (dind.environment["DOCKER_TLS_CERTDIR"] == "") is (way == "tcp")


MIRROR = ["--debug", "--registry-mirror=http://mirror:5000"]


@pytest.mark.parametrize(
    ("name", "facts"), [("corp/my-dind:1", OTHER), ("r/engine:1", DIND)], ids=["name", "facts"]
)
def test_the_authors_mirrors_outlast_a_replacement(name: str, facts: ImageFacts) -> None:
    """The image is not the author's, and what it pulls still comes from where the author says."""
    services = [a_service(name, command=MIRROR, entrypoint=["x"])]
    inputs = some_inputs(services=services)
    images = plan_images(inputs)
    plan = a_plan(inputs, dict.fromkeys(images.services, facts))

    assert plan.dind
    assert plan.dind.image == "docker:29-dind"
    assert plan.dind.command == ()
    assert "--registry-mirror=http://mirror:5000" in plan.dind.prelude
    assert "`[dind] allowed_images` does not allow" in plan.notices[0]
    assert "(`[dind] image`) runs instead" in plan.notices[0]
    # a name is known before anything is pulled
    assert (plan.notices[0] in images.notices) is (facts is OTHER)


def test_the_authors_mirrors_reach_the_administrators_service() -> None:
    """It takes the place of the job's own, after its own arguments."""
    services = [a_service("docker:dind", command=MIRROR)]
    plan = a_plan(some_inputs(settings=DIND_SERVICE, services=services))

    assert plan.dind
    assert plan.dind.command == ("--debug",)
    assert "--registry-mirror=http://mirror:5000" in plan.dind.prelude

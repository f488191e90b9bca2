"""What a job's DOCKER_HOST means for its sidecar."""

import pytest

from executor.plan.docker_host import asked_aliases, asked_name, host_notices
from executor.plan.inputs import Facts, Inputs
from tests.builders import a_service, a_variable, some_inputs
from tests.plans import sidecar_of

DIND = "docker:29-dind"


def asking(host: str, *services: str, settings: str = "", masked: bool = False) -> Inputs:
    """Return a job with this DOCKER_HOST and these services."""
    return some_inputs(
        services=[a_service(each) for each in services],
        variables=[a_variable("DOCKER_HOST", host, public=not masked, masked=masked)],
        settings=settings,
    )


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("tcp://dind:2375", "dind"),
        ("tcp://dind:2376", "dind"),
        ("tcp://dind:2375/", "dind"),
        ("tcp://dind", "dind"),
        ("dind:2375", "dind"),
        ("tcp://Docker-In-Docker:2375", "docker-in-docker"),
        ("http://my_engine:2375", "my_engine"),
        # its name already, or nobody's to give
        ("tcp://docker:2375", ""),
        ("tcp://localhost:2375", ""),
        ("tcp://build:2375", ""),
        ("tcp://10.0.0.1:2375", ""),
        ("tcp://2130706433:2375", ""),
        ("tcp://[::1]:2375", ""),
        ("tcp://:2375", ""),
        # another daemon
        ("tcp://swarm.example.com:2376", ""),
        ("tcp://dind:4243", ""),
        ("ssh://dind", ""),
        ("unix:///dind", ""),
        ("fd://dind", ""),
        # others have the name
        ("tcp://postgres:2375", ""),
        ("tcp://git:2375", ""),
        ("", ""),
        ("tcp://a b:2375", ""),
    ],
)
def test_which_name_a_job_asks_for(host: str, name: str) -> None:
    """A name without a dot counts, on Docker's own ports, that neither a service nor a line has."""
    inputs = asking(host, DIND, "postgres:16", settings='docker.extra_hosts = ["Git:10.0.0.1"]')

    assert asked_name(inputs) == name


def test_a_secret_is_no_name() -> None:
    """The names of a container show to everyone who may talk to the engine."""
    inputs = some_inputs(
        services=[a_service(DIND)],
        variables=[
            a_variable("NAME", "hunter22", public=False, masked=True),
            a_variable("DOCKER_HOST", "tcp://hunter22:2375"),
        ],
    )

    assert asked_name(inputs) == ""


@pytest.mark.parametrize(
    ("services", "elsewhere", "expected"),
    [([DIND], False, ("dind",)), ([DIND], True, ()), (["postgres:16"], False, ()), ([], False, ())],
)
def test_the_name_leads_to_a_dind_that_the_job_lists(
    services: list[str],
    elsewhere: bool,  # noqa: FBT001
    expected: tuple[str, ...],
) -> None:
    """A host elsewhere keeps its name, and so it does for a job that asked for no dind."""
    inputs = asking("tcp://dind:2375", *services)
    facts = Facts(docker_host_is_elsewhere=elsewhere)

    assert asked_aliases(inputs, sidecar_of(inputs), facts) == expected


@pytest.mark.parametrize(
    ("host", "named", "right"),
    [
        ("tcp://localhost:2375", "localhost", 2375),
        ("tcp://127.0.0.1:2376", "127.0.0.1", 2376),
        ("tcp://127.1.2.3", "127.1.2.3", 2376),
        ("LOCALHOST:2375", "localhost", 2375),
        ("tcp://0.0.0.0:2375", "0.0.0.0", 2375),
        ("tcp://[::1]:2376", "::1", 2376),
        ("tcp://:2375", "no host", 2375),
    ],
)
def test_a_job_that_asks_itself_is_told(host: str, named: str, right: int) -> None:
    """The sentence says where it would ask, and what to write by the job's own transport."""
    inputs = asking(host, DIND)

    (found,) = host_notices(inputs, sidecar_of(inputs))

    assert f"DOCKER_HOST names {named}, which is the build container itself" in found.replace(
        "LOCALHOST", "localhost"
    )
    assert f"`DOCKER_HOST: tcp://docker:{right}`" in found


@pytest.mark.parametrize(
    "host",
    [
        "",
        "tcp://docker:2375",
        "tcp://localhost:9999",
        "unix:///var/run/docker.sock",
        "ssh://localhost",
    ],
)
def test_any_other_job_is_told_nothing(host: str) -> None:
    """A tunnel that a script opens, or a socket, may well be there."""
    inputs = asking(host, DIND)

    assert host_notices(inputs, sidecar_of(inputs)) == ()

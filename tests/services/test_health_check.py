"""Which ports tell that a service is up, and the job log's words about one that is not."""

import pytest

from executor.services.health_check import HealthCheck, exposed_ports, health_check, health_warning
from executor.spec import ContainerSpec, ImageFacts

NAME = "dind-executor-1-ab-service-0"
IMAGE = ImageFacts("sha256:1", ports=("5432/tcp",))


def a_check(
    environment: dict[str, str] | None = None,
    secret: dict[str, str] | None = None,
    image: ImageFacts = IMAGE,
) -> HealthCheck:
    """Return the check of a service with these variables."""
    spec = ContainerSpec(
        name=NAME,
        image="postgres:16",
        labels={},
        network="n",
        environment=environment or {},
        secret_environment=secret or {},
    )
    return health_check(spec, image, "postgres:16")


@pytest.mark.parametrize(
    ("exposed", "expected"),
    [
        ((), ()),
        (("80/tcp",), (80,)),
        (("8080",), (8080,)),
        (("443/tcp", "80/tcp", "53/udp", "9/sctp"), (80, 443)),
        (("8002-8004/tcp", "8003/tcp"), (8002, 8003, 8004)),
        (tuple(f"{port}/tcp" for port in range(9025, 9000, -1)), tuple(range(9001, 9021))),
        (("1-65535/tcp",), tuple(range(1, 21))),
        (("", "x/tcp", "-/tcp"), ()),
    ],
)
def test_the_ports_of_an_image(exposed: tuple[str, ...], expected: tuple[int, ...]) -> None:
    """TCP alone, the lowest twenty, in order."""
    assert exposed_ports(exposed) == expected


@pytest.mark.parametrize(
    ("environment", "secret", "image", "ports"),
    [
        ({}, {}, IMAGE, (5432,)),
        ({"HEALTHCHECK_TCP_PORT": "80"}, {}, IMAGE, (80,)),
        ({"healthcheck_tcp_Port": "80"}, {}, IMAGE, (80,)),
        ({}, {"HEALTHCHECK_TCP_PORT": "80"}, IMAGE, (80,)),
        ({}, {}, ImageFacts("i", environment=("PATH=/", "HEALTHCHECK_TCP_PORT=81")), (81,)),
        (
            {"HEALTHCHECK_TCP_PORT": "80"},
            {},
            ImageFacts("i", environment=("HEALTHCHECK_TCP_PORT=81",)),
            (80,),
        ),
        ({}, {}, ImageFacts("i"), ()),
    ],
)
def test_the_port_that_a_variable_names(
    environment: dict[str, str], secret: dict[str, str], image: ImageFacts, ports: tuple[int, ...]
) -> None:
    """Of the service, else of its image, in any case; it is the only one then."""
    assert a_check(environment, secret, image) == HealthCheck(NAME, "postgres:16", ports)


@pytest.mark.parametrize("port", ["", "http", "-1", "0", "65536", "1.5"])
def test_a_port_that_is_none(port: str) -> None:
    """It is said, in gitlab-runner's words, and the job goes on."""
    assert a_check({"HEALTHCHECK_TCP_PORT": port}).mistake == (
        f"invalid health check tcp port: {port}"
    )


def test_the_warning() -> None:
    """gitlab-runner's block, as people and log searches know it."""
    text = health_warning(HealthCheck(NAME, "postgres:16"), "the error", "first\nsecond")

    assert text == (
        f"\n\033[0;33m*** WARNING:\033[0;m Service {NAME} probably didn't start properly.\n"
        "\nHealth check error:\nthe error\n"
        "\nService container logs:\nfirst\nsecond\n"
        "\n\033[0;33m*********\033[0;m\n\n"
    )

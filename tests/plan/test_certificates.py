"""The certificates of a job's containers, and what these trust for GitLab's registry."""

import pytest

from executor.plan.certificates import (
    certificate_names,
    certificate_notices,
    certificate_seconds,
    with_gitlabs,
)
from executor.plan.inputs import Inputs
from tests.builders import a_job, a_service, a_variable, some_inputs
from tests.plans import sidecar_of

CHAIN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
HOSTS = (("registry.example.com:5000", b"host's\n"),)


def gitlab(registry: str, chain: str = CHAIN) -> dict[str, str]:
    """Return what gitlab-runner says of GitLab."""
    return {"CI_REGISTRY": registry, "CI_SERVER_TLS_CA_FILE": chain}


def test_gitlabs_own_registry_is_trusted() -> None:
    """Containers trust the registry by the chain that gitlab-runner trusts GitLab by."""
    found = with_gitlabs(HOSTS, gitlab("registry.gitlab.local:5050"))
    assert found == (*HOSTS, ("registry.gitlab.local:5050", f"{CHAIN}\n".encode()))


@pytest.mark.parametrize(
    "values",
    [
        {},
        gitlab(""),
        gitlab("registry.gitlab.local", ""),
        gitlab("registry.gitlab.local", "/builds/group/project.tmp/CI_SERVER_TLS_CA_FILE"),
        # the administrator's word, and names that are none
        gitlab("registry.example.com:5000"),
        gitlab("../../../etc"),
        gitlab(".."),
        gitlab("10.0.0.0/8"),
        gitlab("a\nb"),
    ],
)
def test_nothing_to_add(values: dict[str, str]) -> None:
    """Nothing is added without a registry or a chain, or where the host has an authority for it."""
    assert with_gitlabs(HOSTS, values) == HOSTS


def names_of(inputs: Inputs, subnets: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names in the certificate of a job's sidecar."""
    return certificate_names(inputs, sidecar_of(inputs), subnets)


def test_names_of_the_certificate() -> None:
    """The certificate has every name that a client may call the sidecar by, each once."""
    services = [a_service("r:5000/a/docker:dind", alias="docker engine")]
    host = a_variable("DOCKER_HOST", "tcp://dind:2376")

    assert names_of(some_inputs(services=services, variables=[host])) == (
        "docker",
        "localhost",
        "127.0.0.1",
        "::1",
        "r__a__docker",
        "r-a-docker",
        "engine",
        "dind",
        "dind-executor-4711-0123456789-dind",
        "dind-executor-4711-0123456789-dind.dind-executor-4711-0123456789",
    )


def test_addresses_of_the_certificate() -> None:
    """It has the lowest addresses of each subnet, as the engine gives them, and no more."""
    found = names_of(some_inputs(), ("172.19.0.0/16", "fd00:1::/64", "10.0.0.0/30"))

    assert found[-131:] == (
        *(f"172.19.0.{each}" for each in range(1, 65)),
        *(f"fd00:1::{each:x}" for each in range(1, 65)),
        *(f"10.0.0.{each}" for each in range(1, 4)),
    )


def test_addresses_for_many_services() -> None:
    """A job of many containers has as many addresses, and more for those that are made again."""
    services = [a_service(f"tools/web{each}") for each in range(100)]

    assert "172.19.1.44" in names_of(some_inputs(services=services), ("172.19.0.0/16",))


@pytest.mark.parametrize(
    ("job", "service", "expected"),
    [
        ("DNS:engine.ci,IP:10.0.0.1", None, {"engine.ci", "10.0.0.1"}),
        (None, "DNS:engine.ci", {"engine.ci"}),
        ("DNS:job.ci", "DNS:$NAME.ci", {"of-service.ci"}),
        ("DNS:job.ci", "", set()),
        (None, None, set()),
    ],
)
def test_names_that_the_job_adds(job: str | None, service: str | None, expected: set[str]) -> None:
    """DOCKER_TLS_SAN counts as in a container of the official image: the service's, else the job's."""
    own = [] if service is None else [a_variable("DOCKER_TLS_SAN", service)]
    variables = [a_variable("NAME", "of-service")]
    variables += [] if job is None else [a_variable("DOCKER_TLS_SAN", job)]
    services = [a_service("docker:dind", variables=own)]
    inputs = some_inputs(services=services, variables=variables)

    without = some_inputs(services=[a_service("docker:dind")])
    assert set(names_of(inputs)) - set(names_of(without)) == expected
    assert certificate_notices(inputs, sidecar_of(inputs)) == ()


def test_names_that_cannot_be_added() -> None:
    """They are named with the way to write them, and the others count."""
    variables = [a_variable("DOCKER_TLS_SAN", "engine.ci, DNS:good.ci, URI:x")]
    inputs = some_inputs(services=[a_service("docker:dind")], variables=variables)

    assert "good.ci" in names_of(inputs)
    (notice,) = certificate_notices(inputs, sidecar_of(inputs))
    assert "not added to the certificate of Docker: engine.ci, URI:x. Write up to" in notice


def test_no_certificate_grows_without_bound() -> None:
    """A client reads certificates of some thousand bytes; neither does the sentence grow."""
    text = ",".join(f"DNS:a{each}.ci" for each in range(5000))
    variables = [a_variable("DOCKER_TLS_SAN", text)]
    inputs = some_inputs(services=[a_service("docker:dind")], variables=variables)

    assert len(names_of(inputs)) < 200
    (notice,) = certificate_notices(inputs, sidecar_of(inputs))
    assert len(notice) < 500


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"first,{'x' * 180},hunter2-hunter2", f"first, {'x' * 180} and more"),
        ("hunter2" * 30, "a long entry"),
    ],
)
def test_half_an_entry_is_not_shown(text: str, shown: str) -> None:
    """It may be a masked variable's value, of which gitlab-runner masks nothing but the whole."""
    variables = [a_variable("DOCKER_TLS_SAN", text)]
    inputs = some_inputs(services=[a_service("docker:dind")], variables=variables)

    (notice,) = certificate_notices(inputs, sidecar_of(inputs))
    assert f"of Docker: {shown}. Write up to" in notice


@pytest.mark.parametrize(
    ("services", "certdir"),
    [(["docker:dind"], ""), ([], "/certs")],
    ids=["plain TCP", "not asked for"],
)
def test_a_certificate_that_nobody_asked_for(services: list[str], certdir: str) -> None:
    """What could not be added to it is of no concern."""
    variables = [a_variable("DOCKER_TLS_SAN", "x"), a_variable("DOCKER_TLS_CERTDIR", certdir)]
    inputs = some_inputs(services=[a_service(each) for each in services], variables=variables)

    assert certificate_notices(inputs, sidecar_of(inputs)) == ()


def test_certificates_outlive_the_job() -> None:
    """Its timeout begins later than prepare, and after_script comes on top."""
    assert certificate_seconds(a_job(runner_info={"timeout": 600})) == 600 + 86400

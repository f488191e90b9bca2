"""The certificates of a job's containers, and what these trust for GitLab's registry."""

import pytest

from executor.plan.certificates import certificate_names, certificate_seconds, with_gitlabs
from tests.builders import a_job, a_service, some_inputs

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


def test_names_of_the_certificate() -> None:
    """The certificate has every name that a client may call the sidecar by, each once."""
    inputs = some_inputs(services=[a_service("r:5000/a/docker:dind", alias="docker engine")])

    assert certificate_names(inputs) == (
        "docker",
        "localhost",
        "r__a__docker",
        "r-a-docker",
        "engine",
    )


def test_certificates_outlive_the_job() -> None:
    """Its timeout begins later than prepare, and after_script comes on top."""
    assert certificate_seconds(a_job(runner_info={"timeout": 600})) == 600 + 7200

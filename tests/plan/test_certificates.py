"""The certificates of a job's containers, and what these trust for GitLab's registry."""

import pytest

from executor.plan.certificates import with_gitlabs

CHAIN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
HOSTS = (("registry.example.com:5000", b"host's\n"),)


def gitlab(registry: str, chain: str = CHAIN) -> dict[str, str]:
    """Return what gitlab-runner says of GitLab."""
    return {"CI_REGISTRY": registry, "CI_SERVER_TLS_CA_FILE": chain}


def test_gitlabs_own_registry_is_trusted() -> None:
    """By what gitlab-runner trusts GitLab by."""
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
    """Where GitLab names no registry, nobody vouches for it, or the host's word is there."""
    assert with_gitlabs(HOSTS, values) == HOSTS

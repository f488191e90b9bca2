"""Who vouches for registries: pure."""

from collections.abc import Mapping

from executor.settings.checks import wrong_insecure_registry

Authorities = tuple[tuple[str, bytes], ...]
"""Registries, as `host:port`, and their certificates in PEM."""

_PEM = "-----BEGIN CERTIFICATE-----"


def with_gitlabs(known: Authorities, values: Mapping[str, str]) -> Authorities:
    """Add GitLab's own registry: what vouches for GitLab, says gitlab-runner, does for it too.

    Where the host has an authority for the registry, that one stands.  The job's variables choose
    whom the job's own containers trust, and nothing else.
    """
    registry, chain = values.get("CI_REGISTRY", ""), values.get("CI_SERVER_TLS_CA_FILE", "")
    if _PEM not in chain or not registry or registry in dict(known):
        return known
    if "/" in registry or wrong_insecure_registry(registry):
        return known  # it is to be the name of a directory
    return (*known, (registry, f"{chain.strip()}\n".encode()))

"""The certificates that a job's containers get, as files on tmpfs.

Pure: no I/O.
"""

from collections.abc import Iterator, Mapping

from executor.notation.hosts import certified, wrong_insecure_registry
from executor.notation.paths import overlap
from executor.plan.docker_host import asked_name
from executor.plan.inputs import Facts, Inputs
from executor.plan.sidecar import Sidecar
from executor.plan.transport import ALIAS, Transport
from executor.runner.payload import Job
from executor.spec import Certificates, FileSpec

Authorities = tuple[tuple[str, bytes], ...]
"""Registries, as `host:port`, and their certificates in PEM."""

_CERTS_D = "/etc/docker/certs.d"
"""Where dockerd, and other tools after its example, look for the authorities of a registry."""
_AUTHORITY = "dind-executor.crt"

_PEM = "-----BEGIN CERTIFICATE-----"

_MARGIN_SECONDS = 24 * 3600
"""How long the certificates outlive the job's timeout: prepare and after_script come on top, and the
clock may be set while the job runs."""

_LONGEST_JOB_SECONDS = 10 * 365 * 86400
"""A calendar has an end, and a certificate with it."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""What containers on the sidecar's own network call it."""
_FEWEST_ADDRESSES = 64
_MOST_OWN_NAMES = 100
_MOST_SHOWN = 200


def certificate_names(
    inputs: Inputs, sidecar: Sidecar, subnets: tuple[str, ...], network: str = ""
) -> tuple[str, ...]:
    """Return every name and address that the sidecar may be called by, on a `network`, if not its own.

    Which address it gets on the job's network is known only when it runs.  The engine gives the
    lowest ones that are free, and nobody but the sidecar has the key: the certificate has so many
    of each subnet that the sidecar's is among them, also after containers were made again.
    """
    aliases = [alias for each in inputs.services for alias in each.aliases]
    asked = asked_name(inputs)
    names = inputs.names
    return tuple(
        dict.fromkeys(
            (
                ALIAS,
                *_LOOPBACK,
                *aliases,
                *([asked] if asked else []),
                # what an address resolves to
                names.dind,
                f"{names.dind}.{network or names.network}",
                *_own_names(inputs, sidecar)[0],
                *_lowest(subnets, max(_FEWEST_ADDRESSES, 3 * len(inputs.services))),
            )
        )
    )


def certificate_notices(inputs: Inputs, sidecar: Sidecar) -> tuple[str, ...]:
    """Return a sentence for what the job asks for and a certificate cannot have."""
    bad = _own_names(inputs, sidecar)[1] if sidecar.transport.tls and sidecar.asked else ()
    if not bad:
        return ()
    shown = ", ".join(bad)
    if len(shown) > _MOST_SHOWN:
        # whole entries: gitlab-runner does not know half a masked value
        whole = shown[:_MOST_SHOWN].rpartition(", ")[0]
        shown = f"{whole} and more" if whole else "a long entry"
    return (
        (
            f"WARNING: DOCKER_TLS_SAN: not added to the certificate of Docker: {shown}. Write up to"
            f' {_MOST_OWN_NAMES} entries such as "DNS:engine.example" or "IP:10.0.0.1", with commas'
            " between them."
        ),
    )


def _own_names(inputs: Inputs, sidecar: Sidecar) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what DOCKER_TLS_SAN adds, and what of it cannot be added.

    The official images read it as a variable of their container: the service's, else the job's.
    """
    variables: dict[str, str] = {}
    for each in (sidecar.own, *sidecar.stands_for) if sidecar.own else ():
        variables |= inputs.variables.services_own(each.asked)
    key = "DOCKER_TLS_SAN"
    good, bad = certified(variables.get(key, inputs.values.get(key, "")))
    return good[:_MOST_OWN_NAMES], (*bad, *good[_MOST_OWN_NAMES:])


def _lowest(subnets: tuple[str, ...], count: int) -> Iterator[str]:
    """Yield the first addresses of each subnet."""
    import ipaddress

    for subnet in subnets:
        network = ipaddress.ip_network(subnet, strict=False)
        for number in range(1, min(network.num_addresses, count + 1)):
            yield str(network[number])


def certificate_seconds(job: Job) -> int:
    """Return how long the job's certificates stay valid."""
    return min(job.timeout_seconds, _LONGEST_JOB_SECONDS) + _MARGIN_SECONDS


def with_gitlabs(known: Authorities, values: Mapping[str, str]) -> Authorities:
    """Add GitLab's own registry: what vouches for GitLab, says gitlab-runner, does for it too.

    Where the host has an authority for the registry, that one stands.  The job's variables choose
    which authorities the job's own containers trust, and nothing else.
    """
    registry, chain = values.get("CI_REGISTRY", ""), values.get("CI_SERVER_TLS_CA_FILE", "")
    if _PEM not in chain or not registry or registry in dict(known):
        return known
    if "/" in registry or wrong_insecure_registry(registry):
        return known  # it is to be the name of a directory
    return (*known, (registry, f"{chain.strip()}\n".encode()))


def authorities(facts: Facts, binds: tuple[str, ...] = ()) -> tuple[FileSpec, ...]:
    """Return the certificates of private registries; what the administrator mounts there stands.

    They are no secret; a tmpfs for each lets any user of an image have them.
    """
    if any(overlap(each.split(":")[1], _CERTS_D) for each in binds):
        return ()
    return tuple(
        FileSpec(f"{_CERTS_D}/{registry}/{_AUTHORITY}", content)
        for registry, content in facts.surroundings.authorities
    )


def authority_tmpfs(files: tuple[FileSpec, ...]) -> dict[str, str]:
    """Return the places of the registries' certificates."""
    each_tmpfs = (cert_tmpfs(each.path.rpartition("/")[0]) for each in files)
    return {path: options for tmpfs in each_tmpfs for path, options in tmpfs.items()}


def cert_tmpfs(directory: str) -> dict[str, str]:
    """Return the tmpfs that keeps keys off the disk; any user of an image may write to it."""
    return {directory: "rw,noexec,nosuid,nodev,mode=1777"}


def server_files(way: Transport, certificates: Certificates | None) -> tuple[FileSpec, ...]:
    """Return the server's side; with these in place an entrypoint makes no certificates itself.

    `ca/cert.pem` without its key is what older entrypoints (20.10.23 and before) look for.
    """
    if not way.tls or certificates is None:
        return ()
    return (
        FileSpec(f"{way.cert_dir.rstrip('/')}/ca/cert.pem", certificates.ca),
        FileSpec(f"{way.server_dir}/ca.pem", certificates.ca),
        FileSpec(f"{way.server_dir}/cert.pem", certificates.server),
        FileSpec(f"{way.server_dir}/key.pem", certificates.server_key),
    )


def sidecar_files(way: Transport, certificates: Certificates | None) -> tuple[FileSpec, ...]:
    """Return both sides: a container inside mounts the client's from the sidecar, its host."""
    return (*server_files(way, certificates), *client_files(way, certificates))


def client_files(way: Transport | None, certificates: Certificates | None) -> tuple[FileSpec, ...]:
    """Return the client's side; any user of the job may read it, as with the official images."""
    if way is None or not way.tls or certificates is None:
        return ()
    return (
        FileSpec(f"{way.client_dir}/ca.pem", certificates.ca),
        FileSpec(f"{way.client_dir}/cert.pem", certificates.client),
        FileSpec(f"{way.client_dir}/key.pem", certificates.client_key),
    )

"""What a job's DOCKER_HOST means for its sidecar: one more name, or a mistake to be told.

Pure: no I/O.
"""

from executor.names import TCP_PORT, TLS_PORT
from executor.notation.hosts import parts_of
from executor.plan.inputs import Facts, Inputs
from executor.plan.sidecar import Sidecar
from executor.plan.transport import ALIAS

_SCHEMES = ("", "tcp", "http", "https")
_PORTS = ("", str(TCP_PORT), str(TLS_PORT))
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_ITSELF = ("", "localhost", "0.0.0.0", "::", "::1")
_NOT_THE_SIDECARS = (*_ITSELF, ALIAS, "build")


def asked_name(inputs: Inputs) -> str:
    """Return the name in DOCKER_HOST that may be meant for the sidecar; "" where there is none.

    It has no dot, and no service and no line of the settings has it; whether it is the name of a
    host elsewhere is a fact.
    """
    scheme, host, port = parts_of(inputs.values.get("DOCKER_HOST", ""))
    host = host.lower()  # Docker's DNS knows no case
    if scheme not in _SCHEMES or port not in _PORTS or host in _NOT_THE_SIDECARS:
        return ""
    if not _CHARACTERS.issuperset(host) or host.isdecimal():
        return ""
    taken = {alias for each in inputs.services for alias in each.aliases}
    taken |= {each.partition(":")[0].lower() for each in inputs.settings.docker.extra_hosts}
    is_secret = any(secret in host for secret in inputs.secrets)
    return "" if host in taken or is_secret else host


def asked_aliases(inputs: Inputs, sidecar: Sidecar, facts: Facts) -> tuple[str, ...]:
    """Return the name in DOCKER_HOST as one more alias of the dind service that the job lists.

    A job that lists dind and calls it by a name that nobody has means its dind.  Where the name is
    somebody's, a deployment could land in the sidecar unasked.
    """
    name = asked_name(inputs) if sidecar.own and not facts.docker_host_is_elsewhere else ""
    return (name,) if name else ()


def host_notices(inputs: Inputs, sidecar: Sidecar) -> tuple[str, ...]:
    """Return a sentence for a DOCKER_HOST that leads to the build container itself."""
    address = inputs.values.get("DOCKER_HOST", "")
    scheme, host, port = parts_of(address)
    itself = host.lower() in _ITSELF or host.startswith("127.")
    if not address or scheme not in _SCHEMES or port not in _PORTS or not itself:
        return ()
    right = TLS_PORT if sidecar.transport.tls else TCP_PORT
    return (
        (
            f"WARNING: DOCKER_HOST names {host or 'no host'}, which is the build container itself. The"
            f" Docker daemon runs in another container: write `DOCKER_HOST: tcp://{ALIAS}:{right}`,"
            " or remove DOCKER_HOST."
        ),
    )

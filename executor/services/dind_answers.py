"""Asks the dind sidecar whether its daemon answers, over the transport that the job will use."""

import socket

from executor.engine.docker import Engine
from executor.runner import notes
from executor.services.dind import Sidecar
from executor.services.dind_early import is_here, logs, port_of
from executor.shell import program

_CONNECT_SECONDS = 1.0

SETTLED_SECONDS = 8.0
"""After so long a sidecar that runs has been set up, whether its log says so or not."""


def answers(
    engine: Engine, sidecar: Sidecar, temp_dir: str, left_seconds: float, waited_seconds: float
) -> bool:
    """Tell whether the daemon answers within the time left, of a sidecar that runs for so long.

    It is asked directly where the sidecar's address is in reach, else from within.  A gitlab-runner in
    a container does not reach it, nor does one whose engine is rootless or on another host; prepare
    has found out and left a note.
    """
    if is_here(engine, temp_dir):
        try:
            return _answers_directly(sidecar, temp_dir, max(left_seconds, 0.1))
        except ConnectionRefusedError:
            return False  # in reach, and not listening yet
        except OSError:
            pass  # out of reach
    return _answers_inside(engine, sidecar, max(left_seconds, 0.1), waited_seconds)


def _answers_directly(sidecar: Sidecar, temp_dir: str, left_seconds: float) -> bool:
    """Ask over the job's network, as the job's client does: same port, same certificates.

    Raises OSError where the address cannot be reached.
    """
    patience = min(_CONNECT_SECONDS, left_seconds)
    connection = socket.create_connection((sidecar.address, port_of(sidecar)), patience)
    try:
        connection.settimeout(left_seconds)
        if sidecar.tls:
            connection = _secured(connection, temp_dir)
        connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        connection.close()


def _secured(connection: socket.socket, temp_dir: str) -> socket.socket:
    import ssl

    directory = f"{temp_dir}/{notes.CLIENT}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(f"{directory}/ca.pem")
    context.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
    return context.wrap_socket(connection, server_hostname="docker")


def _answers_inside(
    engine: Engine, sidecar: Sidecar, left_seconds: float, waited_seconds: float
) -> bool:
    """Ask from within the sidecar.

    An exec while dockerd sets up its control groups can break it (hack/dind before 28), so its log
    has to say that it serves, unless it has had time enough: not every log level says so.
    """
    if waited_seconds < SETTLED_SECONDS and "API listen on" not in logs(engine, sidecar.name, 200):
        return False
    return engine.succeeds(sidecar.name, ("sh", "-c", program("ask_dind")), left_seconds)

"""Waits until the dind sidecar answers, over the transport that the job will use."""

import socket
import time

from executor.engine.api import Api
from executor.engine.wire import as_table
from executor.errors import EngineRefused
from executor.names import TCP_PORT, TLS_PORT, TRANSPORT_LABEL
from executor.runner import notes

_POLL_SECONDS = 0.05
_CONNECT_SECONDS = 1.0

SETTLED_SECONDS = 8.0
"""After so long a sidecar that runs has been set up, whether its log says so or not."""


class Sidecar:
    """What the engine says of the sidecar right now."""

    __slots__ = ("address", "exit_code", "name", "out_of_memory", "running", "started", "tls")

    def __init__(self, name: str, found: dict[str, object]) -> None:
        """Read an inspected container."""
        state = as_table(found.get("State"))
        labels = as_table(as_table(found.get("Config")).get("Labels"))
        networks = as_table(as_table(found.get("NetworkSettings")).get("Networks"))
        addresses = [str(as_table(each).get("IPAddress") or "") for each in networks.values()]
        self.name = name
        self.running = bool(state.get("Running"))
        self.started = str(state.get("StartedAt") or "")
        self.exit_code = state.get("ExitCode")
        self.out_of_memory = bool(state.get("OOMKilled"))
        self.tls = labels.get(TRANSPORT_LABEL) == "tls"
        self.address = next((each for each in addresses if each), "")


def find_sidecar(api: Api, name: str) -> Sidecar | None:
    """Return the sidecar, or None where the job has none."""
    answer = api.get(f"/containers/{name}/json")
    if answer.status == 404:  # noqa: PLR2004
        return None
    if not answer.ok:
        raise EngineRefused(f"The Docker Engine cannot show {name}: {answer.message}.")
    return Sidecar(name, as_table(answer.json()))


def wait_until_ready(api: Api, name: str, temp_dir: str, timeout_seconds: float) -> None:
    """Return once the sidecar's daemon answers; at once where the job has no sidecar.

    A daemon binds its port long before it serves, so one request parks until it does: no polling
    but for the moment before that.  One that has answered is not asked again, only looked at.
    Raises ServiceNotReady with the daemon's last words.
    """
    began = time.monotonic()
    deadline = began + timeout_seconds
    answered = start_that_answered(temp_dir)
    sidecar = find_sidecar(api, name)
    if still_runs(sidecar, answered) or (sidecar is None and not answered):
        return
    while sidecar is not None and sidecar.running and not answered:
        now = time.monotonic()
        if answers(api, sidecar, temp_dir, deadline - now, now - began):
            notes.leave(temp_dir, notes.ANSWERED, sidecar.started.encode())
            return
        if time.monotonic() > deadline:
            from executor.services.dind_causes import never_answered  # noqa: PLC0415 (rarely needed)

            raise never_answered(api, name, timeout_seconds)
        time.sleep(_POLL_SECONDS)
        sidecar = find_sidecar(api, name)
    from executor.services.dind_causes import ended  # noqa: PLC0415 (rarely needed)

    raise ended(api, name, sidecar, had_answered=bool(answered))


def still_runs(sidecar: Sidecar | None, answered: str) -> bool:
    """Tell whether it is the sidecar that has answered: `answered` is when that one had started.

    One that was started anew has neither the job's certificates, which were in memory, nor the
    containers that earlier scripts ran in it.
    """
    return bool(answered and sidecar and sidecar.running and sidecar.started == answered)


def start_that_answered(temp_dir: str) -> str:
    """Return when the sidecar had started that has answered; "" where none has."""
    return (notes.read(temp_dir, notes.ANSWERED) or b"").decode()


def answers(
    api: Api, sidecar: Sidecar, temp_dir: str, left_seconds: float, waited_seconds: float
) -> bool:
    """Tell whether the daemon answers within the time left, of a sidecar that runs for so long.

    It is asked directly where the sidecar's address is in reach, else from within: a runner in a
    container is out of its reach, as is that of a rootless engine or an engine on another host.
    """
    if api.local:
        try:
            return _answers_directly(sidecar, temp_dir, max(left_seconds, 0.1))
        except ConnectionRefusedError:
            return False  # in reach, and not listening yet
        except OSError:
            pass  # out of reach
    return _answers_inside(api, sidecar, max(left_seconds, 0.1), waited_seconds)


def _answers_directly(sidecar: Sidecar, temp_dir: str, left_seconds: float) -> bool:
    """Ask over the job's network, as the job's client does: same port, same certificates.

    Raises OSError where the address cannot be reached.
    """
    port = TLS_PORT if sidecar.tls else TCP_PORT
    patience = min(_CONNECT_SECONDS, left_seconds)
    connection = socket.create_connection((sidecar.address, port), patience)
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


def _answers_inside(api: Api, sidecar: Sidecar, left_seconds: float, waited_seconds: float) -> bool:
    """Ask from within the sidecar.

    An exec while dockerd sets up its control groups can break it (hack/dind before 28), so its log
    has to say that it serves, unless it has had time enough: not every log level says so.
    """
    if waited_seconds < SETTLED_SECONDS and "API listen on" not in logs(api, sidecar.name, 200):
        return False
    from executor.engine.exec import succeeds  # noqa: PLC0415 (most are asked directly)
    from executor.shell import program  # noqa: PLC0415

    return succeeds(api, sidecar.name, ("sh", "-c", program("ask_dind")), left_seconds)


def logs(api: Api, name: str, lines: int) -> str:
    """Return the last lines that a container printed, at most 64 KiB of them."""
    from executor.engine.logs import last_output  # noqa: PLC0415 (rarely needed)

    answer = last_output(api, name, lines)
    return answer.body.decode(errors="replace") if answer.ok else ""

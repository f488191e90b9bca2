"""A connection to an engine on another host, with TLS where the administrator gives certificates."""

import socket

from executor.bounds import port_number

_KEEPALIVE_SECONDS = 30
_KEEPALIVE_COUNT = 3


def connect(host: str, tls_dir: str, timeout: float, *, tls_verify: bool) -> socket.socket:
    """Return a connection to `tcp://name:port`.  Raises OSError, also for another address."""
    scheme, _, address = host.partition("://")
    name, _, port = address.rpartition(":")
    number = port_number(port)
    if scheme != "tcp" or number is None:
        # The settings are checked; $DOCKER_HOST of the runner's process comes as it is.
        raise OSError("the address must look like unix://path or tcp://host:port")
    connection = socket.create_connection((name.strip("[]"), number), timeout)
    _keep_alive(connection)
    if not tls_dir and not tls_verify:
        return connection
    try:
        return _secured(connection, name, tls_dir, tls_verify=tls_verify)
    except BaseException:
        connection.close()
        raise


def _secured(
    connection: socket.socket, name: str, directory: str, *, tls_verify: bool
) -> socket.socket:
    import ssl

    try:
        context = ssl.create_default_context(cafile=f"{directory}/ca.pem" if directory else None)
        if directory:
            context.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
    except FileNotFoundError:
        raise OSError(f"{directory} has no ca.pem, cert.pem or key.pem") from None
    if not tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=name.strip("[]"))


def _keep_alive(connection: socket.socket) -> None:
    """Have the kernel ask an idle other end whether it is there, and break off without an answer.

    A silent script has no time-out of its own, and firewalls forget connections without traffic.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        connection.setsockopt(socket.IPPROTO_TCP, option, _KEEPALIVE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_COUNT)

"""Requests whose body or answer comes piece by piece, and is never whole in memory."""

import _socket
from _collections_abc import Iterable, Iterator

from executor.engine.api import Api
from executor.engine.wire import Answer, Reader, joined, read_body, read_head, request_head


def stream(
    api: Api,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    idle_seconds: float,
    method: str = "POST",
) -> tuple[int, Iterator[bytes]]:
    """Send a request whose answer comes bit by bit; return its status and the pieces.

    `idle_seconds` is the longest silence between two pieces; OSError says that it was longer.
    """
    connection = api.connect(idle_seconds)
    try:
        connection.sendall(request_head(method, api.prefix + path, 0, headers or {}))
        reader = Reader(connection, idle_seconds)
        status, answered = read_head(reader)
        reader.deadline = None
        connection.settimeout(idle_seconds)
    except (OSError, ValueError) as error:
        connection.close()
        raise api.broken(error) from None
    return status, _closing(connection, read_body(reader, answered))


def upload(api: Api, path: str, pieces: Iterable[bytes], *, idle_seconds: float) -> Answer:
    """Send a POST whose body is an archive that comes piece by piece; return the whole answer.

    `idle_seconds` is the longest time that the engine may need for one piece, and for its
    answer.  Raises EngineUnavailable as `Api.send` does, and what `pieces` raises but OSError;
    then the engine knows that it has not got everything.
    """
    connection = api.connect(idle_seconds)
    try:
        headers = {"Content-Type": "application/x-tar"}
        connection.sendall(request_head("POST", api.prefix + path, None, headers))
        try:
            for piece in pieces:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the engine has seen enough, and its answer says why
        reader = Reader(connection, idle_seconds)
        status, answered = read_head(reader)
        content = joined(read_body(reader, answered))
    except (OSError, ValueError) as error:
        raise api.broken(error) from None
    finally:
        connection.close()
    return Answer(status, answered, content)


def _closing(connection: _socket.socket, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        connection.close()

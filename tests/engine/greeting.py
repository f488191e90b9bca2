"""The container's side of a handover, for the stub engine: it asks, hears, and takes its files."""

from executor.shell import greetings
from tests.engine.stub import Connection, frame

NAME = "job-build"


def ask(connection: Connection, what: str = greetings.FILES, name: str = NAME) -> bytes:
    """Ask for files as a program does, and answer the challenge; return that."""
    connection.send(frame(1, greetings.asks(name, what)))
    line = _line(connection)
    while not line.startswith(b"files-"):
        line = _line(connection)
    connection.send(frame(1, greetings.hears(name, line)))
    return line


def take(connection: Connection, what: str = greetings.FILES, name: str = NAME) -> bytes:
    """Ask for files and read them to the end; return all that came."""
    end = ask(connection, what, name)
    taken = b""
    while (path := _line(connection)) != b"\n":
        taken += path
        while (line := _line(connection)) != end:
            taken += line
    return taken


def _line(connection: Connection) -> bytes:
    """Return the next line; raises ConnectionResetError where the client has given up."""
    line: bytes = connection.file.readline()
    if not line:
        raise ConnectionResetError
    return line

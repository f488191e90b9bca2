"""The container's side of a handover, for the stub engine: it asks, hears, and takes its files."""

from executor.shell import greetings
from tests.engine.stub import Connection, frame

NAME = "job-build"


def ask(connection: Connection, what: str = greetings.FILES, name: str = NAME) -> bytes:
    """Ask for files as a program does, and answer the challenge; return that."""
    connection.send(frame(1, greetings.asks(name, what)))
    line: bytes = connection.file.readline()
    while not line.startswith(b"files-"):
        line = connection.file.readline()
    connection.send(frame(1, greetings.hears(name, line)))
    return line


def take(connection: Connection, what: str = greetings.FILES, name: str = NAME) -> bytes:
    """Ask for files and read them to the end; return all that came."""
    end = ask(connection, what, name)
    taken = b""
    while (path := connection.file.readline()) != b"\n":
        taken += path
        while (line := connection.file.readline()) != end:
            taken += line
    return taken

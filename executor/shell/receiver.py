"""The program that takes a container's files from stdin, and what is sent to it and to a keeper."""

from collections.abc import Iterable, Mapping

from executor.shell import ENVIRONMENT, given, program, quoted
from executor.shell.greetings import FILES, VARIABLES
from executor.shell.variables import carries

_PROGRAM = program("receive_files", "receiver")
_START = program("start_program")


def receiver(
    name: str, command: tuple[str, ...], *, prelude: str = "", keeps_stdin: bool = False
) -> tuple[str, ...]:
    """Return the command that takes files from stdin and then becomes `command`.

    It asks for them as the container `name`.  In between comes the program `prelude`, which may
    change the arguments in `"$@"`.  What follows on stdin is the command's where it `keeps_stdin`.
    """
    variables = given(
        _me=name,
        _what=VARIABLES if keeps_stdin else FILES,
        _environment=ENVIRONMENT,
        _keeps_stdin="yes" if keeps_stdin else "",
    )
    return ("sh", "-c", f"{variables}{_PROGRAM}{prelude}{_START}", "sh", *command)


def sent_files(files: Iterable[tuple[str, bytes]], end: bytes) -> bytes:
    """Return what a keeper or receiver reads from its stdin for these paths and contents.

    `end` is the challenge that it was sent before.
    """
    parts = [f"{path}\n".encode() + content.rstrip(b"\n") + b"\n" + end for path, content in files]
    return b"".join([*parts, b"\n"])


def sent_environment(variables: Mapping[str, str]) -> bytes:
    """Return the file that gives a receiver's program these variables.

    A shell would not go on after a key that cannot be a name, such as `1ST`, or is its own.
    """
    lines = [f"export {key}={quoted(value)}\n" for key, value in variables.items() if carries(key)]
    return "".join(lines).encode()

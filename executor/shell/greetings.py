"""What the programs of a job's containers say before they are sent anything that is secret.

An entrypoint decides what becomes of our program and of the stdin that it reads.  So each program
first says that it is there, then proves with a challenge that stdin reaches it, and only then gets
its files.  No text that a container is given holds one of these lines as a whole: an entrypoint
that prints its arguments, or its stdin, answers nothing.
"""

import os

from executor.shell import quoted

VARIABLES, FILES = "variables", "files"
"""What a program asks for: a receiver in front of an entrypoint, and all others."""

_MARK = "dind-executor:"


def asks(name: str, what: str) -> bytes:
    """Return the line by which the program of a container asks for its variables or files."""
    return f"{_MARK} {name} takes its {what}\n".encode()


def challenge() -> bytes:
    """Return the line that a program is sent first; it ends each of its files, too."""
    return b"files-" + os.urandom(16).hex().encode() + b"\n"


def hears(name: str, challenge: bytes) -> bytes:
    """Return the line by which the program of a container proves that stdin reaches it."""
    return f"{_MARK} {name} hears ".encode() + challenge


def has_all(name: str) -> bytes:
    """Return the line by which a service's receiver says that it read everything."""
    return f"{_MARK} {name} has its files\n".encode()


def question(name: str) -> bytes:
    """Return a harmless line that a shell which reads its stdin answers.

    It has no backslash: `echo` may print it otherwise than it is, and it must be known again.
    """
    return f"printf '{_MARK} %s reads commands' {quoted(name)}; echo\n".encode()


def reads_commands(name: str) -> bytes:
    """Return the answer of a shell to the question."""
    return f"{_MARK} {name} reads commands\n".encode()


def leading(command: tuple[str, ...]) -> bytes:
    """Return the line that makes a shell which reads its stdin become a program.

    It is one line whatever the program: the shell may be a loop that takes line after line.
    """
    words = [each.replace("\\", "\\\\").replace("\n", "\\n") for each in command]
    return f"exec {' '.join(map(_printed, words))}\n".encode()


def is_ours(name: str, line: bytes) -> bool:
    """Tell whether a line that a container printed was meant for us alone."""
    return line.startswith(f"{_MARK} {name} ".encode())


def _printed(word: str) -> str:
    """Return a word of a shell that prints this one, of which it undoes the backslashes."""
    return f'"$(printf %b {quoted(word)})"' if "\\" in word else quoted(word)

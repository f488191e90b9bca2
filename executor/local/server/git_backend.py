"""Runs `git http-backend`, git's own side of smart HTTP."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class GitQuestion:
    """One request to git."""

    root: Path
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: BinaryIO


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """What git answers; the content can be read once."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: Iterator[bytes]


def ask_git(question: GitQuestion) -> GitAnswer:
    """Return git's answer. Nobody is logged in as far as git knows, so it refuses pushes."""
    process = subprocess.Popen(
        ["git", "http-backend"],
        stdin=question.body,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=_environment(question),
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    status, headers = 200, []
    while line := process.stdout.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))
    return GitAnswer(status, tuple(headers), _content(process))


def _content(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    with process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        while chunk := process.stdout.read(_CHUNK_BYTES):
            yield chunk


def _environment(question: GitQuestion) -> dict[str, str]:
    headers = {name.lower(): value for name, value in question.headers.items()}
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "GIT_PROJECT_ROOT": str(question.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": question.method,
        "PATH_INFO": question.path,
        "QUERY_STRING": question.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
    }
    # git unpacks a compressed question itself, and speaks the protocol that it is asked for.
    for header, name in (
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ):
        if header in headers:
            environment[name] = headers[header]
    return environment

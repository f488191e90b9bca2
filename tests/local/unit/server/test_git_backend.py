"""git's own side of smart HTTP; `test_http` has a real client before it."""

import tempfile
from pathlib import Path

import pytest

from executor.local.server.git_backend import GitAnswer, GitQuestion, ask_git
from tests import git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory with the repository `project.git`."""
    git.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "project.git")
    return tmp_path


def ask(root: Path, path: str, method: str = "GET", **headers: str) -> GitAnswer:
    """Return git's answer to a question without a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with tempfile.TemporaryFile() as body:
        return ask_git(
            GitQuestion(
                root=root,
                method=method,
                path=path.partition("?")[0],
                query=path.partition("?")[2],
                headers=named,
                body=body,
            )
        )


def test_an_answer_has_status_headers_and_content(root: Path) -> None:
    """A fetch begins with what the repository has."""
    answer = ask(root, "/project.git/info/refs?service=git-upload-pack")

    assert answer.status == 200
    assert ("Content-Type", "application/x-git-upload-pack-advertisement") in answer.headers
    assert b"".join(answer.content).startswith(b"001e# service=git-upload-pack\n")


def test_the_protocol_is_the_clients(root: Path) -> None:
    """git answers by the version that the client's header asks for."""
    answer = ask(root, "/project.git/info/refs?service=git-upload-pack", Git_Protocol="version=2")

    assert b"version 2\n" in b"".join(answer.content)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/project.git/info/refs?service=git-receive-pack", 403),
        ("/other.git/info/refs?service=git-upload-pack", 404),
    ],
)
def test_what_git_refuses(root: Path, path: str, status: int) -> None:
    """Nobody pushes, and a repository that is not there is not found."""
    answer = ask(root, path)

    assert answer.status == status
    assert b"refs/heads" not in b"".join(answer.content)

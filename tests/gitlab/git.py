"""The project's sources: a commit of some files, and git's smart HTTP on a snapshot of it."""

import shutil
import subprocess
import tempfile
from http import HTTPStatus
from pathlib import Path

from executor.local.checkout import Checkout, read_checkout
from executor.local.git_backend import GitQuestion, ask_git
from tests.gitlab.api import Answer, Request

_IDENTITY = ("-c", "user.name=Author", "-c", "user.email=author@example.com")


def commit(files: Path, directory: Path) -> Checkout:
    """Commit a copy of some files to a new `main` and return the checkout."""
    shutil.copytree(files, directory)
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*_IDENTITY, "commit", "--quiet", "--allow-empty", "--message=Sample project"),
    ):
        subprocess.run(["git", "-C", str(directory), *arguments], check=True)
    return read_checkout(directory)


def answer(request: Request, repositories: Path) -> Answer:
    """Return git's answer to a request for something below a directory of repositories."""
    with tempfile.TemporaryFile() as body:
        body.write(request.body)
        body.seek(0)
        question = GitQuestion(
            root=repositories,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=body,
        )
        told = ask_git(question)
        return Answer(HTTPStatus(told.status), b"".join(told.content), dict(told.headers))

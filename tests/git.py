"""git for the tests: commits of some files, and smart HTTP on a directory of repositories."""

import os
import shutil
import subprocess
import tempfile
from http import HTTPStatus
from pathlib import Path

from executor.local.server.git_backend import GitQuestion, ask_git
from tests.web import Answer, Request

# Nobody's own configuration counts, and each commit has an author.
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada Author",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def git(directory: Path, *arguments: str, **environment: str) -> str:
    """Run git in a directory and return what it prints."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        env={**os.environ, **ENVIRONMENT, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"`git {' '.join(arguments)}` failed: {done.stderr.strip()}"
    return done.stdout.strip()


def commit(directory: Path, message: str) -> str:
    """Commit all that is in a work tree and return the commit."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(directory, "rev-parse", "HEAD")


def copied(files: Path, directory: Path) -> Path:
    """Make a work tree whose branch `main` holds a copy of some files; return the directory."""
    shutil.copytree(files, directory)
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "Sample project")
    return directory


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

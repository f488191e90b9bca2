"""The project's sources: a commit of some files, and git's smart HTTP on a snapshot of it."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from executor.local.project.checkout import Checkout, read_checkout
from executor.local.server.git_backend import GitQuestion, ask_git
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


def branched(checkout: Checkout, name: str, directory: Path) -> Checkout:
    """Commit to a new branch a file of the branch's name and the project itself as a submodule."""
    content = directory / ".gitmodules"
    content.write_text('[submodule "sub"]\n\tpath = sub\n\turl = ../project.git\n')

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(checkout.directory), *_IDENTITY, *arguments]
        index = {**os.environ, "GIT_INDEX_FILE": str(directory / "index")}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=index)
        return done.stdout.strip()

    blob = git("hash-object", "-w", str(content))
    git("read-tree", checkout.sha)
    for entry in (
        f"100644,{blob},.gitmodules",
        f"100644,{blob},{name}",
        f"160000,{checkout.sha},sub",
    ):
        git("update-index", "--add", "--cacheinfo", entry)
    sha = git("commit-tree", git("write-tree"), "-p", checkout.sha, "-m", name)
    return replace(checkout, branch=name, sha=sha, before_sha=checkout.sha)


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

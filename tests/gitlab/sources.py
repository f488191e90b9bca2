"""The project's sources: a commit of some files, and a branch beside it."""

from dataclasses import replace
from pathlib import Path

from executor.local.project.checkout import Checkout, read_checkout
from tests import git


def commit(files: Path, directory: Path) -> Checkout:
    """Commit a copy of some files to a new `main` and return the checkout."""
    return read_checkout(git.copied(files, directory))


def branched(checkout: Checkout, name: str, directory: Path) -> Checkout:
    """Commit to a new branch a file of the branch's name and the project itself as a submodule."""
    content = directory / ".gitmodules"
    content.write_text('[submodule "sub"]\n\tpath = sub\n\turl = ../project.git\n')

    index = str(directory / "index")

    def run(*arguments: str) -> str:
        return git.git(checkout.directory, *arguments, GIT_INDEX_FILE=index)

    blob = run("hash-object", "-w", str(content))
    run("read-tree", checkout.sha)
    for entry in (
        f"100644,{blob},.gitmodules",
        f"100644,{blob},{name}",
        f"160000,{checkout.sha},sub",
    ):
        run("update-index", "--add", "--cacheinfo", entry)
    sha = run("commit-tree", run("write-tree"), "-p", checkout.sha, "-m", name)
    return replace(checkout, branch=name, sha=sha, before_sha=checkout.sha)

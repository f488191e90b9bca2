"""What git says about a checkout."""

import subprocess
from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.project.checkout import (
    changed_files,
    committed_files,
    make_snapshot,
    project_root,
    read_checkout,
)
from tests.local.conftest import Workbench


def test_a_checkout_is_described_from_any_of_its_directories(bench: Workbench) -> None:
    """The commit, its parent, the branch, author and message are read."""
    first = bench.git("rev-parse", "HEAD")
    bench.git("checkout", "--quiet", "-b", "feature/x")
    bench.write("deep/file", "x")
    sha = bench.commit("Title\n\nThe body\nof it")
    checkout = read_checkout(bench.project / "deep")
    assert checkout.directory == bench.project
    assert (sha, first, "feature/x") == (checkout.sha, checkout.before_sha, checkout.branch)
    assert checkout.author == "Ada Author <ada@example.com>"
    assert checkout.title == "Title"
    assert checkout.description == "The body\nof it"
    assert not checkout.is_modified
    bench.write("README.md", "changed")
    assert read_checkout(bench.project).is_modified


def test_the_first_commit_has_zeros_before_it(bench: Workbench) -> None:
    """The commit before it is all zeros, as in GitLab for a new branch."""
    assert read_checkout(bench.project).before_sha == "0" * 40


def test_a_detached_head_needs_a_branch(bench: Workbench) -> None:
    """--branch names the one to run for; it need not exist."""
    bench.git("checkout", "--quiet", "--detach")
    with pytest.raises(LocalError, match="--branch"):
        read_checkout(bench.project)
    assert read_checkout(bench.project, branch="release/1").branch == "release/1"
    with pytest.raises(LocalError, match=r'"a\.\.b" is not a branch name'):
        read_checkout(bench.project, branch="a..b")


def test_a_directory_without_git_is_named(tmp_path: Path) -> None:
    """The error names such a directory, and a repository without a commit."""
    with pytest.raises(LocalError, match="is not inside a git work tree"):
        read_checkout(tmp_path)
    subprocess.run(["git", "-C", str(tmp_path), "init", "--quiet"], check=True)
    with pytest.raises(LocalError, match="has no commit yet"):
        read_checkout(tmp_path)


def test_a_snapshot_has_the_commit_under_every_ref(bench: Workbench, tmp_path: Path) -> None:
    """The snapshot of a shallow checkout has it too."""
    bench.commit("Second")
    shallow = tmp_path / "shallow"
    url = f"file://{bench.project}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", url, str(shallow)], check=True)
    refs = ("refs/heads/main", "refs/pipelines/5")
    for number, project in enumerate((bench.project, shallow)):
        checkout = read_checkout(project)
        snapshot = tmp_path / f"{number}.git"
        make_snapshot(checkout, snapshot, refs=refs)
        clone = tmp_path / f"clone-{number}"
        cloned = ["git", "clone", "--quiet", f"file://{snapshot}", str(clone)]
        subprocess.run(cloned, check=True)
        assert read_checkout(clone).sha == checkout.sha


def test_files_of_the_commit_and_what_it_changes_are_told(bench: Workbench) -> None:
    """Against a commit, or where the branch left another one; an unknown commit is told, too."""
    bench.git("checkout", "--quiet", "-b", "feature")
    bench.write("src/a b.py", "x")
    bench.commit("Add a source")
    bench.write("untracked", "x")
    bench.git("checkout", "--quiet", "main")
    bench.git("clean", "--quiet", "--force")
    bench.write("README.md", "changed on main")
    bench.commit("Change main")
    bench.git("checkout", "--quiet", "feature")
    checkout = read_checkout(bench.project)
    assert committed_files(checkout) == ("README.md", "src/a b.py")
    assert changed_files(checkout, checkout.before_sha) == ("src/a b.py",)
    assert changed_files(checkout, "main") == ("src/a b.py",)
    assert changed_files(checkout, "absent") is None
    assert project_root(bench.project / "src") == bench.project


def test_the_default_branch_is_the_remotes_or_else_the_likeliest(bench: Workbench) -> None:
    """A branch that happens to be checked out is the last to be taken."""
    bench.git("config", "init.defaultBranch", "none")
    bench.git("checkout", "--quiet", "-b", "feature")
    assert read_checkout(bench.project).default_branch == "main"
    bench.git("branch", "--quiet", "-m", "main", "trunk")
    assert read_checkout(bench.project).default_branch == "feature"
    bench.git("config", "init.defaultBranch", "trunk")
    assert read_checkout(bench.project).default_branch == "trunk"
    bench.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
    assert read_checkout(bench.project).default_branch == "develop"

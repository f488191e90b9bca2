"""What git says about a checkout."""

import os
import subprocess
from collections.abc import Callable
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


_SIGNATURE = "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----"


def watching(bench: Workbench, program: Path) -> None:
    """Have git start a program to hear what has changed."""
    bench.git("config", "core.fsmonitor", str(program))


def hooking(bench: Workbench, program: Path) -> None:
    """Have git start a program when it has written its index, as it does for a file's new time."""
    hooks = bench.directory / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").symlink_to(program)
    bench.git("config", "core.hooksPath", str(hooks))
    os.utime(bench.project / "README.md", (1, 1))


def filtering(bench: Workbench, program: Path) -> None:
    """Have git start a program to compare a file that has changed."""
    (bench.project / ".git" / "info" / "attributes").write_text("* filter=it\n")
    bench.git("config", "filter.it.clean", str(program))
    os.utime(bench.project / "README.md", (1, 1))


def signing(bench: Workbench, program: Path) -> None:
    """Have git start a program to look at the signature of a commit."""
    text = bench.git("cat-file", "commit", "HEAD").replace("\n\n", f"\n{_SIGNATURE}\n\n")
    (bench.directory / "commit").write_text(text + "\n")
    sha = bench.git("hash-object", "-t", "commit", "-w", str(bench.directory / "commit"))
    bench.git("update-ref", "HEAD", sha)
    bench.git("config", "log.showSignature", "true")
    bench.git("config", "gpg.program", str(program))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("prepare", [watching, hooking, filtering, signing])
def test_a_checkout_of_another_user_is_gits_to_refuse(
    bench: Workbench,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Workbench, Path], None],
) -> None:
    """No program of its configuration is started, until this user does what the sentence says."""
    started = bench.directory / "started"
    program = bench.directory / "program"
    program.write_text(f"#!/bin/sh\n: >{started}\ncat\n")
    program.chmod(0o755)
    prepare(bench, program)
    started.unlink(missing_ok=True)
    subprocess.run(["chown", "-R", "65534", str(bench.project)], check=True)
    monkeypatch.setenv("HOME", str(bench.directory))
    for key in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME", "SUDO_UID"):
        monkeypatch.delenv(key, raising=False)

    with pytest.raises(LocalError, match="belongs to another user"):
        project_root(bench.project)
    with pytest.raises(LocalError) as refused:
        read_checkout(bench.project)
    assert str(refused.value).startswith(f"git refuses {bench.project}, because it belongs to")
    assert not started.exists()

    subprocess.run(["sh", "-c", str(refused.value).rpartition("run: ")[2]], check=True)
    assert read_checkout(bench.project).title == "Start"
    assert started.exists()

"""What git says about the user's checkout, and the snapshot of it that jobs fetch from."""

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from executor.local.errors import LocalError

_FORMAT = "%H%x00%P%x00%cI%x00%an <%ae>%x00%an%x00%ae%x00%B"

_REFUSAL = re.compile(
    "detected dubious ownership in repository at '(?P<newer>.+)'"
    "|unsafe repository \\('(?P<older>.+)' is owned by someone else\\)"
)
"""What git says of a repository that is not this user's, since 2.35.2; the second, before 2.36."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that the jobs run for."""

    directory: Path
    branch: str
    sha: str
    before_sha: str
    timestamp: str
    author: str
    author_name: str
    author_email: str
    message: str
    is_modified: bool
    default_branch: str = "main"

    @property
    def title(self) -> str:
        """The first line of the commit's message."""
        return self.message.partition("\n")[0]

    @property
    def description(self) -> str:
        """The commit's message without its title."""
        return self.message.partition("\n")[2].strip("\n")


def read_checkout(directory: Path, *, branch: str = "") -> Checkout:
    """Return the checkout that a directory is in; its HEAD stands for the branch, if given."""
    top = _git(directory, "rev-parse", "--show-toplevel")
    if top is None:
        message = f"{directory} is not inside a git work tree; run this command in the project"
        raise LocalError(message)
    root = Path(top)
    commit = _git(root, "log", "-1", f"--format={_FORMAT}", "HEAD")
    if commit is None:
        message = f"{root} has no commit yet; commit first, because jobs fetch what is committed"
        raise LocalError(message)
    sha, parents, timestamp, author, name, email, text = commit.split("\0")
    name_of_branch = branch or _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    if not name_of_branch:
        message = f"{root} is on no branch; name the branch to run for with --branch"
        raise LocalError(message)
    if _git(root, "check-ref-format", "--branch", name_of_branch) is None:
        message = f'"{name_of_branch}" is not a branch name; give another one with --branch'
        raise LocalError(message)
    return Checkout(
        directory=root,
        branch=name_of_branch,
        sha=sha,
        before_sha=parents.split(" ")[0] or "0" * len(sha),
        timestamp=timestamp,
        author=author,
        author_name=name,
        author_email=email,
        message=text.strip("\n"),
        is_modified=bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
        default_branch=_default_branch(root, name_of_branch),
    )


def _default_branch(root: Path, branch: str) -> str:
    """Return what the remote calls its default branch, or else the likeliest of the local ones."""
    remote = _git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if remote:
        return remote.removeprefix("origin/")
    configured = _git(root, "config", "init.defaultBranch")
    for name in (configured, "main", "master"):
        if name and _git(root, "show-ref", "--verify", "--quiet", f"refs/heads/{name}") is not None:
            return name
    return branch


def project_root(directory: Path) -> Path:
    """Return the top of the work tree that a directory is in, or else the directory."""
    return Path(_git(directory, "rev-parse", "--show-toplevel") or directory)


def committed_files(checkout: Checkout) -> tuple[str, ...]:
    """Return the files of the commit that jobs get."""
    listed = _git(checkout.directory, "ls-tree", "-r", "-z", "--name-only", checkout.sha)
    return tuple(name for name in (listed or "").split("\0") if name)


def changed_files(checkout: Checkout, before: str) -> tuple[str, ...] | None:
    """Return the files that differ from where the commit left another, None if that is unknown."""
    commit = _git(
        checkout.directory, "rev-parse", "--verify", "--quiet", f"{before}^{{commit}}"
    ) or _git(checkout.directory, "rev-parse", "--verify", "--quiet", f"origin/{before}^{{commit}}")
    if not commit:
        return None
    base = _git(checkout.directory, "merge-base", commit, checkout.sha) or commit
    listed = _git(
        checkout.directory, "diff", "--name-only", "-z", "--no-renames", base, checkout.sha
    )
    return None if listed is None else tuple(name for name in listed.split("\0") if name)


def last_commits(checkout: Checkout, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the commits that last changed the files of each pattern, if there are any."""
    found = (
        _git(
            checkout.directory, "log", "-1", "--format=%H", checkout.sha, "--", f":(top,glob){name}"
        )
        for name in patterns
    )
    return tuple(sorted({sha for sha in found if sha}))


def make_snapshot(checkout: Checkout, directory: Path, *, refs: tuple[str, ...]) -> None:
    """Make a bare repository in which the refs point at the checkout's commit.

    It borrows the checkout's objects instead of copying them, so that it costs nothing.  Nothing of
    the checkout's configuration counts in it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    made = _git(directory.parent, "init", "--quiet", "--bare", str(directory))
    objects = _git(checkout.directory, "rev-parse", "--git-path", "objects")
    shallow = _git(checkout.directory, "rev-parse", "--git-path", "shallow")
    if made is None or objects is None or shallow is None:
        message = f"git cannot make a snapshot of {checkout.directory}; try git fsck there"
        raise LocalError(message)
    alternates = directory / "objects" / "info" / "alternates"
    alternates.write_text(f"{checkout.directory / objects}\n", encoding="utf-8")
    boundary = checkout.directory / shallow
    if boundary.exists():
        (directory / "shallow").write_bytes(boundary.read_bytes())
    for ref in refs:
        if _git(directory, "update-ref", ref, checkout.sha) is None:
            message = f"git cannot point {ref} at {checkout.sha} in a snapshot; try git fsck"
            raise LocalError(message)
    _git(directory, "symbolic-ref", "HEAD", refs[0])


def _git(directory: Path, *arguments: str) -> str | None:
    """Return what git prints, or nothing if it fails.

    Raises LocalError where git refuses the directory because it is somebody else's: the
    configuration there may name programs, which git would start as this user.
    """
    # A refusal is told by git's own words, so they must come in English.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    command = ["git", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        message = "git is not installed; install it, because jobs fetch their sources with it"
        raise LocalError(message) from None
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace").rstrip("\n")
    refused = _REFUSAL.search(done.stderr.decode("utf-8", "replace"))
    if refused:
        found = refused["newer"] or refused["older"]
        message = (
            f"git refuses {found}, because it belongs to another user, whose configuration can name"
            " programs that git starts. Run this command as that user, or in a clone of your own."
            " If you trust everyone who can write there, run:"
            f" git config --global --add safe.directory {shlex.quote(found)}"
        )
        raise LocalError(message)
    return None

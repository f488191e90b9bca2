"""gitlab-runner itself, called: which version it is, what it reads, whether GitLab takes its token."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from executor.excerpts import excerpt
from executor.redaction import redact

LINT_SINCE = (19, 3)
"""Since when there is `gitlab-runner lint`, and `verify` says what kind of host asks.

An older one that asks GitLab before it has asked for a job is taken for a host without features: for
most of an hour, jobs that are cancelled then skip their after_script.
"""
OLDEST = (17, 9)

_SECONDS = 60
_VERSION = re.compile(r"^Version:\s*v?(\d+)\.(\d+)", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TOKENS = re.compile(r"\bToken=\S+")
"""`list` shows those of other runners too, which may be of a kind that nothing tells."""
_NOTICES = ("Runtime platform", "Running in system-mode", "Running in user-mode", "WARNING")


class RunnerFailed(Exception):
    """gitlab-runner does not do what it is asked; the text is a sentence."""


class GitLabRunner(NamedTuple):
    """The gitlab-runner of this host."""

    command: str
    version: tuple[int, int]

    @property
    def lints(self) -> bool:
        """Tell whether it has `lint`, and whether it may ask GitLab at any time."""
        return self.version >= LINT_SINCE

    def reads(self, config: Path, name: str) -> None:
        """Raise RunnerFailed unless it reads a config.toml, and finds the runner of a name in it."""
        said = _called([self.command, "list", "--config", str(config)])
        known = re.compile(rf"^{re.escape(name)}\s+Executor=custom\b", re.MULTILINE)
        if not known.search(said):
            raise RunnerFailed(
                f"gitlab-runner does not find the new runner in what would be config.toml:"
                f" {_words(said)}."
            )

    def lint(self, config: Path) -> str:
        """Return what `lint` says is wrong with a config.toml, "" for nothing."""
        try:
            _called([self.command, "lint", "--config", str(config)])
        except RunnerFailed as error:
            return str(error)
        return ""

    def verify(self, config: Path, name: str) -> None:
        """Have GitLab say whether the token of a runner counts; raises RunnerFailed."""
        try:
            said = _called([self.command, "verify", "--config", str(config), "--name", name])
        except RunnerFailed as error:
            if "is not valid" in str(error) or "is removed" in str(error):
                raise RunnerFailed(
                    "GitLab does not know this token: copy it again from the runner's page, or"
                    " create another runner. Also check that the address is the right GitLab's."
                ) from None
            raise
        if "is valid" not in said and "is alive" not in said:
            raise RunnerFailed(f"gitlab-runner cannot verify the token: {_words(said)}.")


def find_runner() -> GitLabRunner:
    """Return this host's gitlab-runner; raises RunnerFailed."""
    usual = "/usr/local/bin:/usr/bin"  # `sudo` may leave out the first one
    command = shutil.which("gitlab-runner") or shutil.which("gitlab-runner", path=usual)
    if command is None:
        raise RunnerFailed(
            "There is no gitlab-runner on this host: install it first, see"
            " https://docs.gitlab.com/runner/install/."
        )
    said = _called([command, "--version"])
    found = _VERSION.search(said)
    if found is None:
        raise RunnerFailed(f"{command} does not say which version it is: {_words(said)}.")
    version = (int(found[1][:6]), int(found[2][:6]))
    if version < OLDEST:
        raise RunnerFailed(
            f"gitlab-runner is {version[0]}.{version[1]}, and dind-executor needs"
            f" {OLDEST[0]}.{OLDEST[1]} or later: upgrade it first."
        )
    return GitLabRunner(command, version)


def _called(command: list[str]) -> str:
    """Return what a call prints; raises RunnerFailed where it fails."""
    what = f"`{' '.join(command[:2])}`"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RunnerFailed(f"{what} takes longer than {_SECONDS} seconds.") from None
    except OSError as error:
        raise RunnerFailed(f"{what} does not start: {error.strerror}.") from None
    said = _COLOURS.sub("", (done.stdout + done.stderr).decode(errors="replace"))
    if done.returncode:
        raise RunnerFailed(f"{what} failed: {_words(said) or f'exit code {done.returncode}'}.")
    return said


def _words(said: str) -> str:
    """Return the last words, as far as a sentence may quote them."""
    lines = [" ".join(_TOKENS.sub("Token=[MASKED]", each).split()) for each in said.splitlines()]
    lines = [each for each in lines if each and not each.startswith(_NOTICES)]
    return excerpt(redact(" / ".join(lines[-3:]), ())).strip(". ")

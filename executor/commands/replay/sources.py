"""The sources that a job gets which runs again: a checkout of this host, or one that git fetches."""

import base64
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from executor.files import read_regular
from executor.local.errors import LocalError
from executor.local.project.checkout import Checkout, read_checkout
from executor.redaction import redact
from executor.runner.environ import RunnerEnv

_MOST_BYTES = 64 * 1024
_SECONDS = 600
_BRANCH = "replay"
_ADDRESS = re.compile(r"(?:https?|file)://[^\s-]")
"""Not whatever git can call: the file may come from somebody else."""
_SHA = re.compile(r"[0-9a-f]{6,64}")


def local_sources(directory: Path, payload: Mapping[str, Any]) -> tuple[Checkout, str]:
    """Return a checkout of this host, and a warning where it is not at the job's commit."""
    checkout = read_checkout(directory, branch=_BRANCH)
    sha = str((payload.get("git_info") or {}).get("sha") or "")
    same = not sha or checkout.sha == sha
    return (
        checkout,
        "" if same else f"{directory} is at {checkout.sha[:8]}, the job was at {sha[:8]}",
    )


def fetched_sources(payload: Mapping[str, Any], token_file: Path, directory: Path) -> Checkout:
    """Fetch the job's commit into a directory, with a token that may read the repository."""
    git = payload.get("git_info") or {}
    address, sha = without_login(str(git.get("repo_url") or "")), str(git.get("sha") or "")
    if not _ADDRESS.match(address) or not _SHA.fullmatch(sha):
        raise LocalError("the captured payload names no repository and commit that git can fetch")
    try:
        token = read_regular(str(token_file), _MOST_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise LocalError(f"{token_file} cannot be read; give a file with a token in it") from None
    _git(directory, token, "init", "--quiet", "--initial-branch", _BRANCH)
    _git(directory, token, "fetch", "--quiet", "--depth", "50", address, sha)
    _git(directory, token, "reset", "--quiet", "--hard", "FETCH_HEAD")
    return read_checkout(directory, branch=_BRANCH)


def without_login(address: str) -> str:
    """Return the address of a repository without the login in it."""
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else ""


def _git(directory: Path, token: str, *args: str) -> None:
    """Call git; the token is in its environment, where only this user sees it."""
    login = base64.b64encode(f"oauth2:{token}".encode()).decode()
    environ = {
        **RunnerEnv.current().environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
    }
    try:
        done = subprocess.run(
            ["git", *args],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"git {args[0]} does not work: {type(error).__name__}") from None
    if done.returncode:
        said = redact(done.stderr.strip(), (token, login))
        raise LocalError(f"git {args[0]} fails: {said}")

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
from executor.runner.captures import without_login
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


def repository_of(capture: Mapping[str, object], payload: Mapping[str, Any]) -> str:
    """Return where a job's commit is: in its payload, the address is replaced as a whole."""
    address = capture.get("repository") or (payload.get("git_info") or {}).get("repo_url")
    return without_login(str(address or ""))


def fetched_sources(
    payload: Mapping[str, Any], address: str, token_file: Path, directory: Path
) -> Checkout:
    """Fetch the job's commit into a directory, with a token that may read the repository."""
    sha = str((payload.get("git_info") or {}).get("sha") or "")
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

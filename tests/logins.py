"""Registry logins as the three sources have them, and catalogues that are read from these."""

import base64
import json

import pytest

from executor.notation.docker_config import ConfigFile, HelperFailed, RunHelper
from executor.plan.credentials import Catalogue, read_catalogue, resolve
from executor.runner.payload import RegistryLogin

HOST_PATH = "/home/gitlab-runner/.docker/config.json"

SECRET = "hunter2-of-the-registry"

DIGEST = "sha256:" + "0123456789abcdef" * 4


def auth(username: str, password: str = SECRET) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def auths(entries: dict[str, str]) -> str:
    """Return a config.json with a user per server."""
    return json.dumps({"auths": {key: {"auth": auth(user)} for key, user in entries.items()}})


def no_helper(program: str, verb: str, text: str) -> str:
    pytest.fail(f"{program} {verb} {text} was run")


def helper_with(answers: dict[tuple[str, str, str], str]) -> tuple[RunHelper, list[str]]:
    """Return a runner of helpers with canned answers, and the list of what it was asked."""
    asked: list[str] = []

    def run(program: str, verb: str, text: str) -> str:
        asked.append(f"{program} {verb} {text}".rstrip())
        try:
            return answers[program, verb, text]
        except KeyError:
            raise HelperFailed(f"{program} is not on the PATH of gitlab-runner") from None

    return run, asked


def read(
    *,
    job: str = "",
    host: str | None = None,
    payload: dict[str, str] | None = None,
    run_helper: RunHelper = no_helper,
    images: list[str] | None = None,
) -> Catalogue:
    """Read a catalogue from the three sources; `payload` maps a URL to a user."""
    logins = [RegistryLogin(url, user, SECRET) for url, user in (payload or {}).items()]
    config = None if host is None else ConfigFile(HOST_PATH, host)
    return read_catalogue(job, config, logins, run_helper, images)


def found_user(image: str, catalogue: Catalogue) -> str | None:
    found = resolve(image, catalogue)
    return None if found is None else f"{found.credential.username} from {found.source}"

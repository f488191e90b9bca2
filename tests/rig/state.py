"""Rig: what a test needs to know of the rig, read from the state file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.rig.paths import RUN, STATE
from tests.rig.say import RigError


@dataclass(frozen=True, slots=True)
class User:
    """A login that the GitLab registry, the dependency proxy and the git server accept."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rig:
    """The rig that is up. Hosts are `address:port`, as they stand in an image's name."""

    address: str
    engine_host: str
    engine_version: str
    engine_is_ours: bool
    # What bore dind-executor's labels when the rig came up: no test has left it.
    before: list[str]
    # The runtime that privileged containers need on this machine; None is the engine's default.
    runtime: str | None
    # "debian": built by the rig, short names come from its hub mirror. "official": Docker Hub's.
    images: str
    hub: str
    gitlab: str
    proxy: str
    ca: Path
    mirror: str | None
    ci_user: User
    deploy_user: User
    helper_image: str
    dind_image: str
    settings: Path
    # A config.toml with one runner, whose hooks are this repository's.
    registration: Path
    git_url: str
    logs: Path
    project: Path

    @property
    def registry_image(self) -> str:
        """The registry path of the sample project (CI_REGISTRY_IMAGE)."""
        return f"{self.gitlab}/group/project"

    @property
    def proxy_prefix(self) -> str:
        """The dependency proxy's path (CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX)."""
        return f"{self.proxy}/group/dependency_proxy/containers"

    def variables(self) -> dict[str, str]:
        """Return the CI variables that GitLab would set from what the rig stands for."""
        return {
            "CI_REGISTRY": self.gitlab,
            "CI_REGISTRY_IMAGE": self.registry_image,
            "CI_REGISTRY_USER": self.ci_user.name,
            "CI_REGISTRY_PASSWORD": self.ci_user.password,
            "CI_DEPENDENCY_PROXY_SERVER": self.proxy,
            "CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX": self.proxy_prefix,
            "CI_DEPENDENCY_PROXY_USER": self.ci_user.name,
            "CI_DEPENDENCY_PROXY_PASSWORD": self.ci_user.password,
            "CI_DEPLOY_USER": self.deploy_user.name,
            "CI_DEPLOY_PASSWORD": self.deploy_user.password,
        }

    def special(self, name: str) -> str:
        """Return the full name of an image that only the rig has, such as `tools/web:1`."""
        return f"{self.hub}/{name}"


def load() -> Rig:
    """Return the rig that is up."""
    try:
        values = json.loads(STATE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RigError(
            "The rig is not up: run `venv/bin/python -m tests.rig up` in the repository first."
        ) from None
    try:
        for user in ("ci_user", "deploy_user"):
            values[user] = User(**values[user])
        for path in ("ca", "settings", "registration", "logs", "project"):
            values[path] = Path(values[path])
        return Rig(**values)
    except (TypeError, KeyError):
        raise RigError(f"{STATE} is another version's: run `python -m tests.rig up`.") from None


def save(rig: Rig) -> None:
    """Write the state file; it holds passwords, so that only its owner reads it."""
    RUN.mkdir(parents=True, exist_ok=True)
    STATE.touch(mode=0o600)
    STATE.write_text(json.dumps(asdict(rig), indent=1, default=str) + "\n", encoding="utf-8")

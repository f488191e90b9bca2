"""The registries of the rig: Debian's docker-registry, as plain processes on the rig's address.

hub      stands for Docker Hub: anonymous, and the only one that is filled by hand
gitlab   stands for GitLab's container registry: a login is needed
proxy    stands for GitLab's dependency proxy: pulls through from hub, a login is needed
"""

import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.rig import processes
from tests.rig.authority import Certificates
from tests.rig.paths import CERTS_D, HUB_STORAGE, WORK
from tests.rig.say import RigError

GITLAB_PORT, HUB_PORT, PROXY_PORT = 5000, 5001, 5002
_TRUST = "dind-executor-rig.crt"


@dataclass(frozen=True, slots=True)
class RegistrySpec:
    """One registry as it is started; `upstream` makes it a pull-through proxy."""

    name: str
    host: str
    storage: Path
    certificates: Certificates
    htpasswd: Path | None = None
    upstream: str | None = None

    @property
    def trusted_as(self) -> tuple[str, ...]:
        """The names under which engines look for the authority of this registry."""
        # Docker 29 takes a mirror's authorities from the registry that it mirrors.
        return (self.host, "docker.io") if self.name == "hub" else (self.host,)


def hub(address: str, certificates: Certificates) -> RegistrySpec:
    """Return the registry that stands for Docker Hub."""
    return RegistrySpec("hub", f"{address}:{HUB_PORT}", HUB_STORAGE, certificates)


def gitlab(address: str, certificates: Certificates, htpasswd: Path) -> RegistrySpec:
    """Return the registry that stands for GitLab's."""
    host = f"{address}:{GITLAB_PORT}"
    return RegistrySpec("gitlab", host, WORK / "gitlab", certificates, htpasswd)


def proxy(address: str, certificates: Certificates, htpasswd: Path) -> RegistrySpec:
    """Return the registry that stands for the dependency proxy."""
    host, upstream = f"{address}:{PROXY_PORT}", f"https://{address}:{HUB_PORT}"
    return RegistrySpec("proxy", host, WORK / "proxy", certificates, htpasswd, upstream)


def start(spec: RegistrySpec) -> None:
    """Ensure that the registry runs, answers, and is trusted by every engine of this machine."""
    for name in spec.trusted_as:
        trust = CERTS_D / name
        trust.mkdir(parents=True, exist_ok=True)
        (trust / _TRUST).write_bytes(spec.certificates.ca.read_bytes())
    spec.storage.mkdir(parents=True, exist_ok=True)
    path = WORK / f"registry-{spec.name}.json"
    name = f"registry-{spec.name}"
    if processes.running(name) is None:
        path.write_text(json.dumps(_configuration(spec)), encoding="utf-8")
        path.chmod(0o600)
    env = {"SSL_CERT_FILE": str(spec.certificates.ca), "OTEL_TRACES_EXPORTER": "none"}
    processes.start(name, ["docker-registry", "serve", str(path)], env)
    processes.await_answer(
        name,
        f"https://{spec.host}/v2/",
        spec.certificates.ca,
        asks_login=spec.htpasswd is not None,
    )


def stop(spec_name: str) -> bool:
    """End the registry and return whether there was one."""
    return processes.stop(f"registry-{spec_name}")


def distrust() -> None:
    """Take back what `start` told the engines of this machine."""
    for file in CERTS_D.glob(f"*/{_TRUST}"):
        file.unlink()
        if not any(file.parent.iterdir()):
            file.parent.rmdir()
    if CERTS_D.is_dir() and not any(CERTS_D.iterdir()):
        CERTS_D.rmdir()


def write_htpasswd(path: Path, users: dict[str, str]) -> None:
    """Write the password file in the one format that the registry reads (bcrypt)."""
    lines = []
    for user, password in users.items():
        command = ["htpasswd", "-niB", "-C", "5", user]
        done = subprocess.run(command, input=password, check=True, capture_output=True, text=True)
        lines.append(done.stdout.strip() + "\n")
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")


def _configuration(spec: RegistrySpec) -> dict[str, object]:
    """Return the configuration: JSON, which is YAML too."""
    configuration: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(spec.storage)},
            "delete": {"enabled": True},
        },
        "http": {
            "addr": spec.host,
            "secret": secrets.token_hex(16),
            "tls": {
                "certificate": str(spec.certificates.certificate),
                "key": str(spec.certificates.key),
            },
        },
    }
    if spec.htpasswd is not None:
        configuration["auth"] = {"htpasswd": {"realm": spec.name, "path": str(spec.htpasswd)}}
    if spec.upstream is not None:
        configuration["proxy"] = {"remoteurl": spec.upstream}
    return configuration


def seed(repository: str, source: str) -> None:
    """Give the GitLab registry a repository of hub's, before it starts, without a second copy."""
    root = Path("docker/registry/v2")
    theirs, ours = HUB_STORAGE / root, WORK / "gitlab" / root
    target = ours / "repositories" / repository
    if target.exists():
        return
    if not (theirs / "repositories" / source).is_dir():
        message = (
            f"The hub mirror holds no {source}: run `python -m tests.rig down --purge` and `up`."
        )
        raise RigError(message)
    _link(theirs / "repositories" / source, target)
    for link in target.rglob("link"):
        algorithm, _, digest = link.read_text(encoding="utf-8").strip().partition(":")
        blob = Path("blobs") / algorithm / digest[:2] / digest
        if not (ours / blob).exists() and (theirs / blob).exists():
            _link(theirs / blob, ours / blob)


def _link(source: Path, target: Path) -> None:
    """Copy a tree with hard links, but for what the registry writes in place: where a tag leads."""
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.is_dir():
            _link(item, target / item.name)
        elif item.name == "link":
            shutil.copyfile(item, target / item.name)
        else:
            (target / item.name).hardlink_to(item)

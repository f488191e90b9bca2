"""`up`, told step by step; each step leaves what is there already as it is."""

import json
import os
import secrets

from tests.rig import (
    address,
    authority,
    catalogue,
    engine,
    firewall,
    git,
    images,
    leftovers,
    official,
    packages,
    probes,
    registries,
    remains,
    runtime,
    settings,
    state,
)
from tests.rig.authority import Certificates
from tests.rig.engine import Engine
from tests.rig.paths import CACHE, LOGS, PROJECT_FILES, REGISTRATION, RUN, SETTINGS, STATE, WORK
from tests.rig.say import RigError, say, step
from tests.rig.state import Rig, User

_USERS = WORK / "users.json"
_COMMANDS = {
    "docker-registry": "docker-registry",
    "htpasswd": "apache2-utils",
    "git": "git",
    "ip": "iproute2",
    "iptables": "iptables",
    "dpkg-deb": "dpkg",
    "openssl": "openssl",
    "unshare": "util-linux",
    # The shells that hooks and keeper are tried in.
    "bash": "bash",
    "dash": "dash",
    "busybox": "busybox",
}


def up() -> Rig:
    """Ensure that the whole rig runs."""
    if os.geteuid() != 0:
        raise RigError(
            "The rig needs root, for a network interface and for /etc/docker/certs.d: run it with sudo."
        )
    foreign = engine.existing()
    needed = dict(_COMMANDS)
    if foreign is None and "DIND_EXECUTOR_RIG_DOCKERD" not in os.environ:
        needed["dockerd"] = "docker.io"
    packages.ensure(needed)
    remains.clear()
    for directory in (RUN, LOGS, CACHE, WORK):
        directory.mkdir(parents=True, exist_ok=True)
    own = address.ensure()
    say(f"The rig's address is {own}, on {address.INTERFACE}.")
    certificates = authority.ensure(own)
    users = _users()
    hub = registries.hub(own, certificates)
    registries.start(hub)
    source = official.choice(foreign, f"https://{hub.host}")
    images.ensure(hub.host, certificates.ca, only_special=source == "official")
    mirror = None if source == "official" else f"https://{hub.host}"
    running = foreign or _own_engine(mirror)
    say(f"The engine is Docker {running.version} at {running.host}.")
    rig = _describe(own, running, source, mirror, certificates, users)
    _start_registries(rig, certificates)
    git.start(own, {user.name: user.password for user in users})
    settings.write(rig)
    settings.write_registration(rig)
    state.save(rig)
    say(f"The rig is up: {STATE} says where everything is.")
    return rig


def _own_engine(mirror: str | None) -> Engine:
    firewall.remember()
    wrapper = runtime.install(engine.search_path())
    return engine.start(mirror, wrapper)


def _describe(
    own: str,
    running: Engine,
    source: str,
    mirror: str | None,
    certificates: Certificates,
    users: tuple[User, User],
) -> Rig:
    hub = f"{own}:{registries.HUB_PORT}"
    wrapper = runtime.install(engine.search_path())
    with engine.connect(running.host) as client:
        official.require_docker_hub(client, running, f"https://{hub}")
        privileged = probes.privileged_runtime(client, wrapper)
        # Like a runner host that has had its first job: only the helper image need not be pulled.
        refused = probes.pull(client, f"{hub}/{catalogue.HELPER}")
        before = leftovers.labelled(client)
    if refused is not None:
        raise RigError(f"The engine cannot pull the helper image: {refused}")
    return Rig(
        address=own,
        engine_host=running.host,
        engine_version=running.version,
        engine_is_ours=running.ours,
        before=before,
        runtime=privileged,
        images=source,
        hub=hub,
        gitlab=f"{own}:{registries.GITLAB_PORT}",
        proxy=f"{own}:{registries.PROXY_PORT}",
        ca=certificates.ca,
        mirror=mirror,
        ci_user=users[0],
        deploy_user=users[1],
        helper_image=f"{hub}/{catalogue.HELPER}",
        dind_image="docker:26.1-dind",
        settings=SETTINGS,
        registration=REGISTRATION,
        git_url=f"http://{own}:{git.PORT}",
        logs=LOGS,
        project=PROJECT_FILES,
    )


def _start_registries(rig: Rig, certificates: Certificates) -> None:
    htpasswd = WORK / "htpasswd"
    logins = {user.name: user.password for user in (rig.ci_user, rig.deploy_user)}
    if not htpasswd.exists():
        registries.write_htpasswd(htpasswd, logins)
    with step("Starting the GitLab registry and the dependency proxy"):
        if rig.images == "official":
            official.copy(rig)
        # The page's first example takes its images from the project's own registry.
        registries.seed("group/project/docker", f"{catalogue.PROXY_PREFIX}/docker")
        registries.start(registries.gitlab(rig.address, certificates, htpasswd))
        registries.start(registries.proxy(rig.address, certificates, htpasswd))


def _users() -> tuple[User, User]:
    """Return the users of this rig, with passwords that stay until `down`."""
    if not _USERS.exists():
        passwords = {
            "gitlab-ci-token": f"glcbt-64_{secrets.token_urlsafe(20)}",
            "deploy": f"gldt-{secrets.token_urlsafe(15)}",
        }
        _USERS.touch(mode=0o600)
        _USERS.write_text(json.dumps(passwords), encoding="utf-8")
    first, second = json.loads(_USERS.read_text(encoding="utf-8")).items()
    return User(*first), User(*second)

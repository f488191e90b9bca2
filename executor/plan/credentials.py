"""Which registry credential goes with which image: pure.

Credentials come from the job's DOCKER_AUTH_CONFIG, the docker configuration of the runner's user
and the job payload, in this order. The longest matching path wins across all of them; the order
decides between equal paths.
"""

from binascii import b2a_base64
from collections.abc import Iterable, Iterator

from executor.dataclass import dataclass
from executor.notation.docker_config import (
    ConfigFile,
    Credential,
    DockerConfig,
    Helpers,
    RunHelper,
    read_docker_config,
    registry_path,
)
from executor.notation.image_names import HUB, HUB_HOSTS, names_a_host
from executor.quick_json import dumps, loads
from executor.runner.payload import RegistryLogin

JOB_VARIABLE = "$DOCKER_AUTH_CONFIG"
JOB_PAYLOAD = "job payload (GitLab Registry)"
HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Entry:
    """A credential, the registry path that it opens, and where it was found."""

    path: str
    credential: Credential
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All credentials of a job, one for a path, and a sentence for each that cannot be used."""

    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    unused_helpers: tuple[tuple[str, str], ...] = ()
    """Registry paths, "" for all, and the lines of the job's that name a helper for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """The credential for an image and where it was found."""

    credential: Credential
    source: str

    def __str__(self) -> str:
        """Return the line for the job log."""
        return f"Authenticating with credentials from {self.source}"


def read_catalogue(
    auth_config: str,
    host_config: ConfigFile | None,
    logins: Iterable[RegistryLogin],
    run_helper: RunHelper,
    images: Iterable[str] | None = None,
    *,
    administrators_variable: bool = False,
) -> Catalogue:
    """Merge the sources of a job's credentials.

    `auth_config` is the content of DOCKER_AUTH_CONFIG, "" where there is none: the job's own, or
    the `administrators_variable`, which the runner's config.toml sets for all jobs. The administrator's
    credential helpers are asked only for registries that one of `images` comes from; None stands
    for all registries.
    """
    wanted = None if images is None else frozenset(_paths(images))
    sources: list[tuple[str, DockerConfig]] = []
    helpers = Helpers(run_helper, wanted)
    if auth_config.strip():
        trusted = helpers if administrators_variable else None
        sources.append((JOB_VARIABLE, read_docker_config(JOB_VARIABLE, auth_config, trusted)))
    if host_config is not None:
        sources.append((host_config.path, _read_host_config(host_config, helpers)))
    sources.append((JOB_PAYLOAD, _read_logins(logins)))
    merged: dict[str, Entry] = {}
    for source, config in sources:
        for path in sorted(config.credentials):
            merged.setdefault(path, Entry(path, config.credentials[path], source))
    warnings = [warning for _, config in sources for warning in config.warnings]
    unused = () if administrators_variable else tuple(_helper_lines(auth_config))
    return Catalogue(tuple(merged.values()), tuple(warnings), unused)


def resolve(image: str, catalogue: Catalogue) -> Found | None:
    """Return the credential with the longest path that the image lies under; None: anonymous."""
    by_path = {entry.path: entry for entry in catalogue.entries}
    for path in _paths([image]):
        if path in by_path:
            return Found(by_path[path].credential, by_path[path].source)
    return None


def helper_advice(image: str, catalogue: Catalogue) -> str:
    """Return what to do where a job names a credential helper for an image, "" where it does not.

    Whoever writes the job names a program by it, and none of those runs on the runner's host.
    """
    lines = dict(catalogue.unused_helpers)
    line = next((lines[path] for path in (*_paths([image]), "") if path in lines), "")
    if not line:
        return ""
    return (
        f"The job's DOCKER_AUTH_CONFIG has {line}, and dind-executor runs no credential helper that a"
        " job names: ask the administrator to move this line to ~/.docker/config.json of the user"
        ' that runs gitlab-runner, or write the login itself under "auths".'
    )


def client_config(catalogue: Catalogue, *, without: Iterable[str] = ()) -> dict[str, object]:
    """Return a config.json that logs a docker client in to the same registries.

    The client knows no path, only a host: a host's own entry stands for it, else its shortest
    path, else the first in order. Entries from the sources `without` are left out.
    """
    hidden = frozenset(without)
    shown = [entry for entry in catalogue.entries if entry.source not in hidden]
    chosen: dict[str, Entry] = {}
    # The sort is stable: between paths of one length the order of the sources decides.
    for entry in sorted(shown, key=lambda entry: entry.path.count("/")):
        chosen.setdefault(entry.path.partition("/")[0], entry)
    return {
        "auths": {
            HUB_KEY if host == HUB else host: _client_entry(chosen[host].credential)
            for host in sorted(chosen)
        }
    }


def image_path(image: str) -> str:
    """Return the registry path of an image: registry and repository, without tag and digest."""
    directory, slash, last = image.partition("@")[0].rpartition("/")
    name = directory + slash + last.partition(":")[0]
    first, has_slash, repository = name.partition("/")
    if not has_slash or not names_a_host(first):
        return f"{HUB}/{name}"
    host = first.lower()
    return f"{HUB if host in HUB_HOSTS else host}/{repository}"


def _helper_lines(auth_config: str) -> Iterator[tuple[str, str]]:
    """Yield what names credential helpers in a job's variable, as it stands there, by path."""
    try:
        found = loads(auth_config) if '"cred' in auth_config else None
    except (ValueError, RecursionError):
        return  # the warnings say so
    document = found if isinstance(found, dict) else {}
    store, named = document.get("credsStore"), document.get("credHelpers")
    # Anything but a name is a mistake of which the warnings tell, and may hold a password.
    if store and isinstance(store, str):
        yield "", dumps({"credsStore": store})[1:-1]
    for server, helper in named.items() if isinstance(named, dict) else ():
        if isinstance(helper, str):
            yield registry_path(server), dumps({"credHelpers": {server: helper}})[1:-1]


def _paths(images: Iterable[str]) -> Iterable[str]:
    """Return the path of each image and the paths above it, the longest first."""
    for image in images:
        path = image_path(image)
        while path:
            yield path
            path = path.rpartition("/")[0]


def _read_host_config(config: ConfigFile, helpers: Helpers) -> DockerConfig:
    if config.problem:
        return DockerConfig({}, (f"{config.path} is not used: {config.problem}.",))
    return read_docker_config(config.path, config.text, helpers)


def _read_logins(logins: Iterable[RegistryLogin]) -> DockerConfig:
    credentials: dict[str, Credential] = {}
    for login in logins:
        path = registry_path(login.url)
        if path:
            credentials.setdefault(path, Credential(login.username, login.password))
    return DockerConfig(credentials)


def _client_entry(credential: Credential) -> dict[str, str]:
    login = f"{credential.username or '<token>'}:{credential.password}"
    fields = {"auth": b2a_base64(login.encode(), newline=False).decode()}
    if credential.identity_token:
        fields["identitytoken"] = credential.identity_token
    return fields

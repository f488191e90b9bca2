"""Reading a docker client's configuration file: pure.

Two kinds of it come here. The file of the runner's user belongs to the administrator, and its
credential helpers are run; so does a DOCKER_AUTH_CONFIG that config.toml's `environment` sets.
Another DOCKER_AUTH_CONFIG belongs to whoever writes the job: no helper that it names is run.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable

from executor.dataclass import dataclass, field
from executor.excerpts import excerpt
from executor.notation.image_names import HUB, HUB_HOSTS
from executor.notation.json_text import decoded
from executor.quick_json import dumps

RunHelper = Callable[[str, str, str], str]
"""Runs a credential helper: program, verb, standard input → standard output or HelperFailed."""

_SHAPES = {"credsStore": (str, "the name of a helper"), "credHelpers": (dict, "a JSON object")}
_TOKEN_USER = "<token>"  # noqa: S105 (what a helper answers in place of a user's name)


class HelperFailed(Exception):
    """A credential helper gave no answer; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The docker configuration file of the runner's user; `problem` says why it has no text."""

    path: str
    text: str = field(default="", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """A login to a registry: a user's password, or an identity token."""

    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    def registry_auth_header(self) -> str:
        """Return the value of X-Registry-Auth.

        Without a server address: an engine with the containerd image store compares it with the
        registry and drops the credential without a word where they differ.
        """
        if self.identity_token:
            fields = {"identitytoken": self.identity_token}
        else:
            fields = {"username": self.username, "password": self.password}
        encoded = b2a_base64(dumps(fields).encode(), newline=False).decode()
        return encoded.replace("+", "-").replace("/", "_")


@dataclass(frozen=True, slots=True)
class Helpers:
    """How an administrator's credential helpers are run, and for which registry paths.

    Each takes a process and often a request over the network, so none is asked for a path that
    no image needs; None stands for all paths.
    """

    run: RunHelper
    wanted: frozenset[str] | None = None

    def ask(self, name: object, verb: str, text: str) -> object:
        """Return the decoded answer of one helper."""
        if not isinstance(name, str) or not name or not set("/\\\0").isdisjoint(name):
            raise HelperFailed("the name of a credential helper must not contain a path separator")
        program = f"docker-credential-{name}"
        try:
            return decoded(self.run(program, verb, text))
        except (ValueError, RecursionError):
            raise HelperFailed(f"{program} {verb} printed something other than JSON") from None

    def wants(self, path: str) -> bool:
        """Tell whether an image needs a registry path."""
        return self.wanted is None or path in self.wanted


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """The credentials of one configuration file by registry path, and what is wrong with it."""

    credentials: dict[str, Credential]
    warnings: tuple[str, ...] = ()


def read_docker_config(source: str, text: str, helpers: Helpers | None) -> DockerConfig:
    """Read a configuration file; without `helpers`, the helpers that it names are ignored."""
    try:
        document = decoded(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        return DockerConfig({}, (_refused(source, f"it is not JSON{place}"),))
    if not isinstance(document, dict):
        return DockerConfig({}, (_refused(source, "it is not a JSON object"),))
    if source.endswith(".dockercfg") and "auths" not in document:
        # before config.json there was nothing but the logins
        document = dict[str, object](auths=document)
    warnings: list[str] = []
    credentials = _from_auths(source, document.get("auths"), warnings)
    if helpers is None:
        warnings += [
            f"{key} of {source} is ignored, because a job cannot choose programs that run on"
            ' the runner host. Write the login itself under "auths".'
            for key in ("credsStore", "credHelpers")
            if document.get(key)
        ]
    else:
        warnings += _misshapen(source, document)
        credentials |= _from_store(source, document.get("credsStore"), helpers, warnings)
        credentials |= _from_helpers(source, document.get("credHelpers"), helpers, warnings)
    return DockerConfig(credentials, tuple(warnings))


def registry_path(server: str) -> str:
    """Return the registry path that a credential's server address stands for."""
    scheme, has_scheme, rest = server.partition("://")
    if has_scheme and scheme.lower() in ("http", "https"):
        # The address of a registry: its path is `/v1/` or the like, never a repository.
        return _host(rest.partition("/")[0])
    host, _, repository = server.rstrip("/").partition("/")
    host = _host(host)
    directory, slash, last = repository.rpartition("/")
    repository = directory + slash + last.partition(":")[0]
    if not repository or (host == HUB and repository in ("v1", "v2")):
        return host
    return f"{host}/{repository}"


def _host(address: str) -> str:
    host = address.rpartition("@")[2].lower()
    return HUB if host in HUB_HOSTS else host


def _from_auths(source: str, auths: object, warnings: list[str]) -> dict[str, Credential]:
    credentials: dict[str, Credential] = {}
    if auths is None:
        return credentials
    if not isinstance(auths, dict):
        warnings.append(_refused(source, '"auths" is not a JSON object'))
        return credentials
    for server in sorted(auths):
        path = registry_path(server)
        try:
            credential = _login(auths[server])
        except ValueError as error:
            warnings.append(
                f"The login for {excerpt(path) or '(no registry)'} in {source} is not used: {error}."
            )
        else:
            if credential and path:
                credentials.setdefault(path, credential)
    return credentials


def _login(entry: object) -> Credential | None:
    """Read one entry of `auths`; an empty one says that a helper has the login."""
    if not isinstance(entry, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 (a mistake in data)
    fields: dict[str, str] = {
        key: value for key, value in entry.items() if isinstance(value, str) and value
    }
    username, password = fields.get("username", ""), fields.get("password", "")
    if "auth" in fields:
        username, password = _decoded(fields["auth"])
    if "identitytoken" in fields:
        return Credential(username, "", fields["identitytoken"])
    return Credential(username, password) if username else None


def _decoded(auth: str) -> tuple[str, str]:
    try:
        login = a2b_base64("".join(auth.split()), strict_mode=True).decode()
    except ValueError:
        login = ""
    username, colon, password = login.partition(":")
    if not username or not colon:
        # not chained: the cause would quote what may be half of a password
        raise ValueError('its "auth" is not user:password in base64') from None
    return username, password.rstrip("\0")


def _misshapen(source: str, document: dict[str, object]) -> list[str]:
    """Say which key for credential helpers has another shape."""
    return [
        f"{key} of {source} is ignored, because it is not {wanted}."
        for key, (kind, wanted) in _SHAPES.items()
        if document.get(key) and not isinstance(document[key], kind)
    ]


def _from_store(
    source: str, name: object, helpers: Helpers, warnings: list[str]
) -> dict[str, Credential]:
    if not isinstance(name, str) or not name or helpers.wanted == frozenset():
        return {}
    try:
        servers = helpers.ask(name, "list", "")
    except HelperFailed as error:
        warnings.append(_unanswered(source, error))
        return {}
    named = dict.fromkeys(servers, name) if isinstance(servers, dict) else {}
    return _from_helpers(source, named, helpers, warnings)


def _from_helpers(
    source: str, named: object, helpers: Helpers, warnings: list[str]
) -> dict[str, Credential]:
    credentials: dict[str, Credential] = {}
    by_server = named if isinstance(named, dict) else {}
    for server in sorted(by_server):
        path = registry_path(server)
        if not path or path in credentials or not helpers.wants(path):
            continue
        try:
            credentials[path] = _answer(helpers.ask(by_server[server], "get", server))
        except HelperFailed as error:
            warnings.append(_unanswered(source, error))
    return credentials


def _answer(answer: object) -> Credential:
    fields = answer if isinstance(answer, dict) else {}
    username, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise HelperFailed("a credential helper returned no Username and Secret")
    if username == _TOKEN_USER:
        return Credential("", "", secret)
    return Credential(username, secret)


def _refused(source: str, why: str) -> str:
    return (
        f"Failed to resolve credentials from {source}: {why}. "
        "Credentials from this source will not be used."
    )


def _unanswered(source: str, error: HelperFailed) -> str:
    return (
        f"A credential helper named in {source} is not used: {excerpt(str(error))}. Pulls"
        " continue with the other logins."
    )

"""Which variables of a job are replaced as a whole, and which values are looked for everywhere.

Pure: no I/O.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from executor.dataclass import dataclass
from executor.plan.credentials import Entry
from executor.plan.secrets import secret_keys, secret_values, told_values
from executor.runner.payload import Job

SECRET_NAME = re.compile(
    r"token|passw|passphrase|secret|credential|private|auth(?!or)|jwt|signature|cookie|session"
    r"|api_?key|access_?key|ssh_?key|deploy_?key|_pat$|^pat$|_pw$|_pwd$|^pwd_|netrc|kubeconfig|dockercfg",
    re.IGNORECASE,
)
"""What the name of a variable, or of a field, has in it that holds a secret, whatever else is said of it."""

_FIELDS_OF_OTHERS = ("token_mask_prefixes",)
_PUBLIC = ("CI_RUNNER_SHORT_TOKEN",)
"""What gitlab-runner shows to everyone: it is in the names of a job's container and volumes."""
_GITLAB_RUNNERS = ("CI_", "FF_", "RUNNER_", "GITLAB_")
_WORDS = frozenset(
    ("", "true", "false", "yes", "no", "on", "off", "0", "1", "auto", "always", "never")
)
_SHORTEST_UNMASKED = 8
"""Shorter values that are not masked are replaced where they stand, and not looked for elsewhere."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is secret of a job."""

    keys: frozenset[str]
    """Variables that have a placeholder as their whole value."""
    named: tuple[tuple[str, str], ...]
    """Values that are looked for in every text, longest first, each with a name."""


def find_secrets(
    job: Job, payload: object, values: Mapping[str, str], entries: Iterable[Entry]
) -> Secrets:
    """Return what is secret of a job, its runner's own variables among it."""
    told = told_values(job)
    keys = set(_keys(job, values, told))
    named: dict[str, str] = {}
    raw = {each.key: each.value for each in job.variables}
    masked = {each.key for each in job.variables if each.masked}
    for key in sorted(keys, key=lambda key: (key != "CI_JOB_TOKEN", key)):
        for value in {raw.get(key, ""), values.get(key, "")}:
            if key in masked or (len(value) >= _SHORTEST_UNMASKED and value not in told):
                _add(named, value, key, lines=True)
    auth = values.get("DOCKER_AUTH_CONFIG", "") or raw.get("DOCKER_AUTH_CONFIG", "")
    for part in _auth_parts(auth):
        _add(named, part, "DOCKER_AUTH_CONFIG")
    logins = tuple(each.credential for each in entries)
    for value in secret_values(job, values, logins):
        _add(
            named, value, "registry-login" if value not in _of_job(job, values) else "secret-value"
        )
    for name, value in _fields(payload, ""):
        _add(named, value, name, shortest=_SHORTEST_UNMASKED)
    return Secrets(
        frozenset(keys), tuple(sorted(named.items(), key=lambda each: (-len(each[0]), each[0])))
    )


def is_secret_field(name: str) -> bool:
    """Tell whether a field of the payload has secrets alone, by its name."""
    return name not in _FIELDS_OF_OTHERS and bool(SECRET_NAME.search(name))


def has_secret(key: str, value: str) -> bool:
    """Tell whether a variable is secret by its name, and its value no plain word."""
    return bool(SECRET_NAME.search(key)) and value.lower() not in _WORDS


def _of_job(job: Job, values: Mapping[str, str]) -> frozenset[str]:
    return frozenset((*values.values(), *(each.value for each in job.variables), job.token))


def _keys(job: Job, values: Mapping[str, str], told: frozenset[str]) -> Iterator[str]:
    """Yield the variables that are replaced as a whole."""
    yield from (
        key for key in secret_keys(job, values) if values.get(key, "?").lower() not in _WORDS
    )
    yield from (each.key for each in job.variables if each.masked or each.file)
    yield from job.file_keys
    of_job = {each.key for each in job.variables}
    for key in {*of_job, *values}:
        value = values.get(key, "?")
        is_public = key in _PUBLIC and key not in of_job
        if has_secret(key, value) and value not in told and not is_public:
            yield key
    for key, value in values.items():
        # What config.toml sets may be a password; what gitlab-runner says of itself is none.
        if (
            key not in of_job
            and not key.startswith(_GITLAB_RUNNERS)
            and value.lower() not in _WORDS
        ):
            yield key


def _add(
    named: dict[str, str], value: str, name: str, *, lines: bool = False, shortest: int = 1
) -> None:
    texts = [value, *(value.splitlines() if lines else ())]
    for number, text in enumerate(texts):
        tidy = text.strip() if number else text
        least = _SHORTEST_UNMASKED if number else shortest
        if len(tidy) >= least:
            named.setdefault(tidy, name)


def _auth_parts(text: str) -> Iterator[str]:
    """Yield the passwords, tokens and encoded pairs of a docker configuration."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    auths = document.get("auths") if isinstance(document, dict) else None
    for entry in auths.values() if isinstance(auths, dict) else ():
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if not isinstance(value, str) or key in {"username", "email", "serveraddress"}:
                continue
            yield value
            if key == "auth":
                yield from _password_of(value)


def _password_of(auth: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(auth, validate=False).decode()
    except ValueError:
        return
    yield pair
    yield pair.partition(":")[2]


def _fields(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a payload that stand in fields for secrets, each with the field's name."""
    if isinstance(value, str):
        if name:
            yield name, value
    elif isinstance(value, list):
        for each in value:
            yield from _fields(each, name)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _fields(each, key if is_secret_field(key) and key != "credentials" else name)

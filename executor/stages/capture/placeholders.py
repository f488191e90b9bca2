"""A payload with a placeholder in place of each secret, whatever form it stands in.

Pure: no I/O.
"""

import base64
import json
import re
from collections.abc import Mapping

from executor.runner.captures import placeholder
from executor.stages.capture.forms import forms
from executor.stages.capture.secrets import Secrets, has_secret, is_secret_field

_MOST_WORK = 3_000_000_000
"""How many characters are compared at most: secrets in all their forms, times the text."""
_DEEPEST = 3
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:[\r\n]{1,2}[A-Za-z0-9+/_-]{4,})*={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[:\s]?){8,}")
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY[A-Z ]{0,40}-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)",
    re.DOTALL,
)
_TOKENS = re.compile(
    r"(?:glcbt|glpat|glrt|gldt|glptt|glsoat|glft|glimt|glagent|glwt|gloas|ghp|gho|ghs|ghu|ghr|github_pat|dckr_pat"
    r"|npm|pypi|sk|hf|xox[abprs])[-_][A-Za-z0-9_.-]{10,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}[A-Za-z0-9_.-]*"
)
_LOGIN = re.compile(r"(?<=://)[^/\s@\"'<>]{1,2000}@")
_QUERY = re.compile(
    r"(?i)([?&;][\w.%-]{0,60}(?:token|secret|passw|key|sig|credential|auth|jwt|session|code)[\w.%-]{0,60}=)[^&\s\"'<>;\ue000]+"
)
_ASSIGNED = re.compile(
    r"(?i)(\b[\w-]{0,60}?(?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key)[\w-]{0,60}[\"']?\s{0,2}[=:]\s{0,2}[\"']?)"
    r"(?![\"'\s$])[^\s\"'$&|;,)}\ue000]{4,}"
)
_HEADER = re.compile(
    r"(?i)((?:bearer|basic)\s+|(?:private|job|deploy)-token:\s*)[^\s\"'$\ue000]{6,}"
)
_MARK = "\ue000"
_FIRST = 0xE001
_MOST_NAMES = 6000
_MARKED = re.compile(f"{_MARK}(.)", re.DOTALL)
_PLACEHOLDER = re.compile(r"placeholder-of-[A-Za-z0-9_-]*")
_USERS = ("gitlab-ci-token", "git", "oauth2")
"""Names of users in URLs that stand for anybody with a token."""


class TooMuch(Exception):
    """A job has too many secrets and too long a text to be captured."""


def replaced(document: Mapping[str, object], secrets: Secrets) -> dict[str, object]:
    """Return a captured payload without secrets; raises TooMuch, or ValueError if one is left."""
    replacing = _Replacing(secrets, len(json.dumps(document, ensure_ascii=False)))
    found = {key: replacing.tree(each) for key, each in document.items() if key != "values"}
    payload, values = found["payload"], document["values"]
    if isinstance(payload, dict):
        payload["variables"] = [
            replacing.variable(each) for each in _list(payload.get("variables"))
        ]
        for image in (payload.get("image"), *_list(payload.get("services"))):
            if isinstance(image, dict) and image.get("variables"):
                image["variables"] = [
                    replacing.variable(each) for each in _list(image["variables"])
                ]
        payload["secrets"] = _without_leaves(payload.get("secrets"))
    if isinstance(values, dict):
        # CI_JOB_SERVICES says what the payload says of its services.
        found["values"] = {
            replacing.text(key): replacing.value(key, each)
            for key, each in values.items()
            if key != "CI_JOB_SERVICES"
        }
    replacing.check(json.dumps(found, ensure_ascii=False))
    return found


class _Replacing:
    """Takes the secrets of one job out of texts."""

    def __init__(self, secrets: Secrets, length: int) -> None:
        self._keys = secrets.keys
        self._raw = [value for value, _ in secrets.named if forms(value)]
        named = {form: name for value, name in secrets.named for form in forms(value)}
        self._forms = sorted(named.items(), key=lambda each: (-len(each[0]), each[0]))
        self._names: dict[str, int] = {}
        if len(self._forms) * length > _MOST_WORK:
            raise TooMuch

    def tree(self, value: object, field: str = "") -> object:
        """Return the same with placeholders; a field for secrets has nothing else."""
        if isinstance(value, str):
            return placeholder(field) if field and value else self.text(value)
        if isinstance(value, list):
            return [self.tree(each, field) for each in value]
        if isinstance(value, dict):
            return {
                self.text(str(key)): self.tree(each, _secret_field(str(key), each) or field)
                for key, each in value.items()
            }
        return value

    def variable(self, variable: object) -> object:
        """Return a variable of the payload, with a placeholder as its value if it is secret."""
        if not isinstance(variable, dict) or not isinstance(variable.get("value"), str):
            return variable
        key = str(variable.get("key", "")).partition("=")[0]
        is_secret = key in self._keys or variable.get("masked") or variable.get("file")
        if variable["value"] and (is_secret or has_secret(key, variable["value"])):
            return {**variable, "value": placeholder(key)}
        return variable

    def value(self, key: str, value: str) -> str:
        """Return the value of a variable, which is secret as a whole if its name is."""
        return placeholder(key) if value and key in self._keys else self.text(value)

    def text(self, text: str) -> str:
        """Return a text with placeholders."""
        found = self._marked(text.replace(_MARK, "?"))
        names = list(self._names) if _MARK in found else []
        return _MARKED.sub(lambda mark: placeholder(names[ord(mark[1]) - _FIRST]), found)

    def check(self, text: str) -> None:
        """Raise ValueError where a secret is left."""
        rest = _PLACEHOLDER.sub(_MARK, text)
        if any(form in rest for form, _ in self._forms):
            raise ValueError

    def _marked(self, text: str, depth: int = 0) -> str:
        """Return a text with marks, in which nothing is looked for."""
        for form, name in self._forms:
            if form in text:
                text = text.replace(form, self._mark(name))
        text = _KEY_BLOCK.sub(self._mark("private-key"), text)
        text = _TOKENS.sub(self._mark("token"), text)
        text = _LOGIN.sub(self._without_login, text)
        text = _QUERY.sub(lambda found: found[1] + self._mark("parameter"), text)
        text = _ASSIGNED.sub(lambda found: found[1] + self._mark("assigned-value"), text)
        text = _HEADER.sub(lambda found: found[1] + self._mark("header"), text)
        if depth < _DEEPEST:
            text = _ENCODED.sub(lambda found: self._encoded(found[0], depth), text)
            text = _HEX.sub(lambda found: self._hex(found[0]), text)
        return text

    def _mark(self, name: str) -> str:
        number = self._names.setdefault(name, len(self._names))
        if number >= _MOST_NAMES:
            raise TooMuch
        return f"{_MARK}{chr(_FIRST + number)}"

    def _encoded(self, text: str, depth: int) -> str:
        decoded = _decoded(text)
        if decoded is None:
            lines = text.splitlines(keepends=True)
            return "".join(self._encoded(each, depth) for each in lines) if len(lines) > 1 else text
        return text if self._marked(decoded, depth + 1) == decoded else self._mark("encoded-text")

    def _hex(self, text: str) -> str:
        digits = "".join(each for each in text if each.isalnum())
        try:
            decoded = bytes.fromhex(digits[: len(digits) // 2 * 2]).decode()
        except ValueError:
            return text
        return self._mark("encoded-text") if any(each in decoded for each in self._raw) else text

    def _without_login(self, found: re.Match[str]) -> str:
        user, colon, rest = found[0].removesuffix("@").partition(":")
        if rest[:1] == _MARK or user[:1] == _MARK or (user in _USERS and not colon):
            return found[0]
        return f"{user}:{self._mark('login')}@" if user in _USERS else f"{self._mark('login')}@"


def _secret_field(key: str, value: object) -> str:
    """Return the name of a field for secrets, "" of any other."""
    if isinstance(value, bool | int | float) or key in {"key", "credentials"}:
        return ""
    return key if is_secret_field(key) else ""


def _decoded(text: str) -> str | None:
    """Return what a text in base64 says, None where it is none."""
    plain = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except ValueError:
        return None


def _without_leaves(value: object) -> object:
    """Return what a job wants of a vault without a text of it: it names places and has tokens."""
    if isinstance(value, str):
        return placeholder("vault") if value else value
    if isinstance(value, list):
        return [_without_leaves(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_leaves(each) for key, each in value.items()}
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

"""Reading the values of keywords, with the place of every mistake.

Pure: from what the YAML library returns to typed values. Here are scalars, lists, scripts,
variables and containers; `rule_keywords`, `job_keywords` and `artifact_keywords` have the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from executor.excerpts import excerpt, readable
from executor.local.errors import PipelineError, UnsupportedError
from executor.local.pipeline.model import Image, YamlVariable

_MAX_SCRIPT_NESTING = 10
WHEN = ("on_success", "on_failure", "always")
_PULL_POLICIES = ("always", "if-not-present", "never")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a value stands, for the sentence about a mistake."""

    source: str
    path: str = ""

    def of(self, key: object) -> "Place":
        """Return the place of a key of the mapping at this place."""
        return Place(self.source, f"{self.path}:{key}" if self.path else str(key))

    def job(self, name: str) -> "Place":
        """Return the place of a job."""
        return Place(self.source, f'job "{name}"')

    def error(self, sentence: str) -> PipelineError:
        """Return the error that says it."""
        return PipelineError(f"{self.source}: {excerpt(self.path)}: {readable(sentence)}")

    def unsupported(self, key: str, known: tuple[str, ...]) -> UnsupportedError:
        """Return the error that names a keyword which GitLab may know, but not we."""
        return UnsupportedError(
            f'{self.source}: {excerpt(self.path)}: keyword "{excerpt(key)}" is not supported by the embedded runner;'
            f" remove it or run this job in GitLab (supported here: {', '.join(known)})"
        )

    def check_keys(self, mapping: Mapping[str, object], known: tuple[str, ...]) -> None:
        """Name the first keyword that is not supported here."""
        for key in mapping:
            if key not in known:
                raise self.unsupported(key, known)


def mapping_at(value: object, place: Place) -> dict[str, object]:
    """Return a mapping with string keys."""
    if not isinstance(value, dict):
        raise place.error(f"a mapping is expected, not {described(value)}")
    return {scalar_text(key): item for key, item in value.items()}


def text_at(value: object, place: Place) -> str:
    """Return a non-empty string."""
    if not isinstance(value, str) or not value:
        raise place.error(f"a non-empty string is expected, not {described(value)}")
    return value


def flag_at(value: object, place: Place) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise place.error(f"true or false is expected, not {described(value)}")
    return value


def strings_at(value: object, place: Place) -> tuple[str, ...]:
    """Return a list of strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise place.error(f"a list of strings is expected, not {described(value)}")
    return tuple(value)


def one_of(choices: tuple[str, ...], value: object, place: Place) -> str:
    """Return a string that is one of the choices."""
    if value not in choices:
        raise place.error(f'"{value}" is not one of: {", ".join(choices)}')
    return str(value)


def script_at(value: object, place: Place) -> tuple[str, ...]:
    """Return the commands of a string or a list; nested lists are flattened as GitLab does."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise place.error(f"a command or a list of commands is expected, not {described(value)}")
    return tuple(_commands(value, place, _MAX_SCRIPT_NESTING))


def _commands(value: list[object], place: Place, depth: int) -> list[str]:
    commands: list[str] = []
    for item in value:
        if isinstance(item, list) and depth:
            commands += _commands(item, place, depth - 1)
        elif isinstance(item, str):
            commands.append(item)
        else:
            sentence = f"every command is a string, but one is {described(item)}; quote it"
            raise place.error(sentence)
    return commands


def variables_at(value: object, place: Place, *, described: bool) -> tuple[YamlVariable, ...]:
    """Return the variables; only global ones may carry a description and options."""
    return tuple(
        _variable(key, item, place.of(key), described=described)
        for key, item in mapping_at(value, place).items()
    )


def _variable(key: str, value: object, place: Place, *, described: bool) -> YamlVariable:
    if not isinstance(value, dict):
        return YamlVariable(key, _variable_value(value, place))
    fields = mapping_at(value, place)
    known = ("value", "expand", "description", "options") if described else ("value", "expand")
    place.check_keys(fields, known)
    expanded = flag_at(fields.get("expand", True), place.of("expand"))
    return YamlVariable(key, _variable_value(fields.get("value", ""), place), raw=not expanded)


def _variable_value(value: object, place: Place) -> str:
    if isinstance(value, str | int | float):
        return scalar_text(value)
    raise place.error(f"a string or a number is expected, not {described(value)}")


def image_at(value: object, place: Place) -> Image:
    """Return the image of a job."""
    if isinstance(value, str):
        return Image(text_at(value, place))
    fields = mapping_at(value, place)
    place.check_keys(fields, ("name", "entrypoint", "pull_policy", "docker"))
    return _container(fields, place)


def services_at(value: object, place: Place) -> tuple[Image, ...]:
    """Return the services of a job."""
    if not isinstance(value, list):
        raise place.error(f"a list of services is expected, not {described(value)}")
    return tuple(_service(item, place.of(index)) for index, item in enumerate(value))


def _service(value: object, place: Place) -> Image:
    if isinstance(value, str):
        return Image(text_at(value, place))
    fields = mapping_at(value, place)
    known = ("name", "alias", "entrypoint", "command", "variables", "pull_policy", "docker")
    place.check_keys(fields, known)
    return _container(fields, place)


def _container(fields: dict[str, object], place: Place) -> Image:
    docker = mapping_at(fields.get("docker", {}), place.of("docker"))
    place.of("docker").check_keys(docker, ("user", "platform"))
    return Image(
        name=text_at(fields.get("name"), place.of("name")),
        alias=text_at(fields["alias"], place.of("alias")) if "alias" in fields else "",
        entrypoint=_optional_strings(fields, "entrypoint", place),
        command=_optional_strings(fields, "command", place),
        variables=variables_at(fields.get("variables", {}), place.of("variables"), described=False),
        pull_policy=_pull_policy(fields.get("pull_policy", []), place.of("pull_policy")),
        user=scalar_text(docker.get("user", "")),
        platform=scalar_text(docker.get("platform", "")),
    )


def _optional_strings(
    fields: Mapping[str, object], key: str, place: Place
) -> tuple[str, ...] | None:
    return strings_at(fields[key], place.of(key)) if key in fields else None


def _pull_policy(value: object, place: Place) -> tuple[str, ...]:
    policies = (value,) if isinstance(value, str) else strings_at(value, place)
    return tuple(one_of(_PULL_POLICIES, policy, place) for policy in policies)


def scalar_text(value: object) -> str:
    """Return what GitLab makes of a scalar where it wants a string."""
    # YAML's true is Python's True, and GitLab hands it on as "true".
    return str(value).lower() if isinstance(value, bool) else str(value)


def described(value: object) -> str:
    """Return what a value is, for the sentence that says what is expected instead."""
    names = {dict: "a mapping", list: "a list", str: "a string", type(None): "nothing"}
    return names.get(type(value)) or f"{value!r}"

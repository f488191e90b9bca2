"""The settings documented, from their own definition: as TOML to start from, and as a page."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from executor.notation.toml import value_text
from executor.settings.file import Settings
from executor.settings.keys import Key, Part, Section, keys_of

_WIDTH = 98
_INTRODUCTION = (
    "dind-executor reads a TOML file that the `*_args` of `[runners.custom]` in gitlab-runner's"
    " config.toml name. Every key may be left out; an unknown key is a mistake, and all mistakes"
    " are reported at once, each with its path."
)
_TYPES: dict[type, str] = {
    dict: "table of strings",
    bool: "true or false",
    type(None): "true or false",
    int: "whole number",
    str: "string",
    tuple: "list of strings",
}


def documented_defaults() -> str:
    """Return a complete settings file: every key with its documentation and its default."""
    return _documented("Settings of dind-executor, with their defaults.", {})


def installed_settings() -> str:
    """Return the file that an installation begins with.

    As gitlab-runner's registration does for the Docker executor, it keeps the `cache` keyword's
    files, which need a volume to last.
    """
    title = "Settings of dind-executor: the defaults, and a volume that keeps caches."
    return _documented(title, {"docker.volumes": '["/cache"]'})


def _documented(title: str, chosen: Mapping[str, str]) -> str:
    """Return a settings file; `chosen` has TOML by key, where it is not to be the default."""
    lines = [*_comment(title)]
    for name, kind in _sections():
        if name:
            lines += ["", f"[{name}]", *_comment(kind.__doc__ or "")]
        for each, key in keys_of(kind):
            lines += ["", *_comment(_meaning(kind, each, key))]
            if key.section:
                # Tables follow every plain key in TOML: these are written at the end of the file.
                lines += [f"# [[{name}.{each}]]"]
                lines += [
                    f"# {inner} = {_toml(its.default)}" for inner, its in keys_of(key.section)
                ]
                continue
            unset = "# " if key.otherwise else ""
            value = chosen.get(f"{name}.{each}") or _toml(key.default)
            lines += [f"{unset}{each} = {value}"]
    return "\n".join(lines) + "\n"


def manual_page() -> str:
    """Return docs/settings.md."""
    lines = ["# Settings", "", *wrap(_INTRODUCTION, _WIDTH)]
    lines += ["", "`dind-executor settings` prints such a file with every key and its default."]
    for name, kind in _sections():
        if name:
            lines += ["", f"## `[{name}]`", "", *wrap(kind.__doc__ or "", _WIDTH)]
        else:
            lines += ["", "## Top level"]
        for each, key in keys_of(kind):
            lines += ["", f"### `{each}`", *_described(kind, each, key)]
            for inner, its in keys_of(key.section) if key.section else ():
                lines += ["", f"#### `{inner}` of `{each}`"]
                lines += _described(key.section or kind, inner, its)
    return "\n".join(lines) + "\n"


def _described(kind: type[Section], name: str, key: Key) -> list[str]:
    """Return type, default and meaning of a key, as paragraphs."""
    default = key.otherwise or f"`{_toml(key.default)}`"
    texts = (f"{_type(key)}; default {default}.", _meaning(kind, name, key))
    lines: list[str] = []
    for text in texts:
        lines += ["", *wrap(text, _WIDTH, break_on_hyphens=False)]
    return lines


def _sections() -> Iterator[tuple[str, type[Section]]]:
    """Yield the sections in order, first the top level, which has no name."""
    yield "", Settings
    for name, each in Settings.DECLARED.items():
        if isinstance(each, Part):
            yield name, each.factory


def _meaning(kind: type[Section], name: str, key: Key) -> str:
    texts = [key.doc]
    if key.unit:
        texts.append(f"In {key.unit}.")
    if key.otherwise:
        texts.append(f"Default: {key.otherwise}.")
    if kind.SAME_AS and not key.ours:
        texts.append(f"Same as `{name}` of `{kind.SAME_AS}`.")
    return " ".join(texts)


def _type(key: Key) -> str:
    if key.choices:
        return "One of " + ", ".join(f"`{choice}`" for choice in key.choices)
    if key.shape:
        return key.shape.capitalize()
    if key.section:
        return "List of tables"
    name = _TYPES[type(key.default)]
    if key.minimum is None:
        return name.capitalize()
    upper = "" if key.maximum is None else f" to {key.maximum}"
    return f"{name.capitalize()} from {key.minimum}{upper}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH - 2, break_on_hyphens=False)]


def _toml(default: object) -> str:
    """Return a default as TOML; None, which TOML does not have, stands for false."""
    return "false" if default is None else value_text(default)

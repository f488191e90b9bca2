"""What of a value is right and what is not, and which keys may do with the right parts alone: pure."""

from collections.abc import Callable, Iterator

from executor.commands.migrate.rules import MAY_GO
from executor.notation.table import Problems, Table
from executor.settings.file import Settings
from executor.settings.reader import read_section

Place = tuple[str, str]
"""Section, "" for the top level, and key of the settings."""
Judge = Callable[[object], list[str]]
"""Returns what is wrong with a value, each mistake as a sentence without a full stop."""


def read_alone(place: Place, value: object) -> tuple[Settings, list[str]]:
    """Return settings with this key alone, and what is wrong with its value.

    What is wrong only beside other keys is not among it.
    """
    section, key = place
    problems = Problems()
    document = {section: {key: value}} if section else {key: value}
    settings = read_section(Settings, Table(document, problems))
    return settings, [text.partition(": ")[2] for text in problems.texts]


def right_parts(value: object, judge: Judge) -> tuple[object, list[tuple[str, str]]]:
    """Return what of a value is right, None where nothing is; and what is wrong, by its place in it."""
    mistakes = judge(value)
    if not mistakes:
        return value, []
    if isinstance(value, list) and not judge([]):
        elements = [right_parts(each, lambda part: judge([part])) for each in value]
        right = [part for part, _ in elements if part is not None]
        wrong = _below((f"[{place}]", found) for place, (_, found) in enumerate(elements))
        return right or None, wrong
    if isinstance(value, dict) and not judge({}):
        values = {name: right_parts(each, _named(name, judge)) for name, each in value.items()}
        kept = {name: part for name, (part, _) in values.items() if part is not None}
        return kept or None, _below((f".{name}", found) for name, (_, found) in values.items())
    return None, [("", "; ".join(mistakes))]


def may_be_cut(key: str, right: object) -> bool:
    """Tell whether a key with its right parts alone admits no more than the whole.

    A malformed pattern admits nothing, so an allow-list can do without, as long as one is left
    that admits something: a list without any admits everything.
    """
    if key.startswith("allowed_"):
        return isinstance(right, list) and not all(str(each).startswith("!") for each in right)
    return key in MAY_GO


def _named(name: str, judge: Judge) -> Judge:
    return lambda part: judge({name: part})


def _below(parts: Iterator[tuple[str, list[tuple[str, str]]]]) -> list[tuple[str, str]]:
    return [(place + inner, mistake) for place, found in parts for inner, mistake in found]

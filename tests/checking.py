"""Tables of right and wrong values for functions that say what is wrong with one."""

from collections.abc import Callable, Mapping
from types import ModuleType

Check = Callable[[str], str]
Values = Mapping[Check, tuple[list[str], list[str]]]
"""For each check, values that may stand in the settings and values that may not."""


def right(values: Values) -> list[tuple[Check, str]]:
    """Return each right value with its check."""
    return [(check, value) for check, (good, _) in values.items() for value in good]


def wrong(values: Values) -> list[tuple[Check, str]]:
    """Return each wrong value with its check."""
    return [(check, value) for check, (_, bad) in values.items() for value in bad]


def is_a_sentence(text: str) -> bool:
    """Tell whether a text can stand behind a key's name: some words, without a full stop."""
    return len(text.split()) >= 3 and not text.endswith(".")


def checks_of(module: ModuleType) -> set[Check]:
    """Return the checks that a module defines."""
    return {
        each
        for name, each in vars(module).items()
        if name.startswith("wrong_") and each.__module__ == module.__name__
    }

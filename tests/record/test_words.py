"""The closed words of a record: each error has one, and each is what the engine room says."""

import ast
from pathlib import Path

import executor
from executor import errors
from executor.commands.reap.report import REASONS
from executor.record import words
from executor.stages.run import HELPER_SUB_STAGES

PACKAGE = Path(executor.__file__).parent


def _errors(above: type[BaseException]) -> set[type[BaseException]]:
    below = set(above.__subclasses__())
    return below.union(*map(_errors, below)) if below else below


def _made(error: type[BaseException]) -> BaseException:
    return error.__new__(error)


def test_each_error_has_a_word_of_its_own_or_of_the_nearest_above() -> None:
    """What may end a stage is told apart as far as its remedies differ."""
    known = {each for each in _errors(errors.ExecutorError) if each.__module__ == errors.__name__}

    unnamed = {each.__name__ for each in known if words.reason_of(_made(each)) == words.OTHER}

    assert unnamed == {"BuildFailure", "SystemFailure"}
    assert words.reason_of(errors.NoShell("x")) == "unusable_image"
    assert words.reason_of(errors.ContainerLost("x", begun=True)) == "lost"
    assert words.reason_of(KeyError("x")) == "unexpected"


def test_every_error_that_is_named_exists() -> None:
    """A class that is renamed must not lose its word."""
    there = {each.__name__ for each in _errors(BaseException)} | {"BaseException"}

    assert set(words.REASONS) <= there


def test_every_event_that_is_named_is_noted_somewhere() -> None:
    """An event that is renamed must not vanish from the record."""
    texts = {
        node.value
        for path in PACKAGE.rglob("*.py")
        if "record" not in path.relative_to(PACKAGE).parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set(words.SPANS) | set(words.MARKS) <= texts


def test_the_sub_stages_are_those_that_run_knows() -> None:
    """A predefined one that is new to us is new to both."""
    assert HELPER_SUB_STAGES <= words.STEPS


def test_the_reasons_of_sweeps_are_words() -> None:
    """Those for which something is removed."""
    assert words.WORDS["reason"] <= set(REASONS)

"""Whether a job is in the pipeline."""

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.admission import Tree, first_match, lists_admit
from executor.local.pipeline.rules import Rule
from tests.local.unit.pipeline.reading import job

TREE = Tree(lambda: ("a.txt",), {"old": ("src/b.py",)}.get)
VARIABLES = {
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_BEFORE_SHA": "old",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PROJECT_PATH": "g/p",
    "KIND": "py",
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(changes=("src/*.$KIND",)), True),
        (Rule(changes=("a.txt",)), False),
        (Rule("$KIND", changes=("src/*",), exists=("a.*",)), True),
        (Rule(exists=("src/b.py",)), False),
        (Rule(changes=("src/*",), compare_to="$CI_COMMIT_BEFORE_SHA"), True),
        (Rule("$ABSENT", changes=("src/*",)), False),
    ],
)
def test_all_conditions_of_a_rule_must_hold(rule: Rule, *, expected: bool) -> None:
    """Changes come from the commit before, files from the commit itself."""
    assert (first_match((rule,), VARIABLES, TREE) is rule) == expected


def test_a_first_commit_changes_everything() -> None:
    """GitLab takes a rule for changes as met when there is nothing to compare with."""
    assert first_match((Rule(changes=("none",)),), {"CI_COMMIT_BEFORE_SHA": "000"}, TREE)


def test_an_unknown_commit_is_no_reason_to_guess() -> None:
    """The sentence names the keyword and the commit."""
    with pytest.raises(PipelineError, match=r'"changes:compare_to".*"gone"'):
        first_match((Rule(changes=("a",), compare_to="gone"),), VARIABLES, TREE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("only: [branches]", True),
        ("only: [tags]", False),
        ("only: [main@g/p]", True),
        ("only: [main@g/fork]", False),
        ("only: [/^MA/i]", True),
        ("only: [dev, pushes]", True),
        ("only: [schedules, web]", False),
        ("except: [main]", False),
        ("except: [dev]", True),
        ("only: {refs: [main], variables: [$KIND]}", True),
        ("only: {refs: [main], variables: [$ABSENT]}", False),
        ("except: {refs: [dev], variables: [$KIND]}", False),
        ("only: {changes: [src/*]}", True),
        ("only: [main], except: {changes: [src/*]}", False),
    ],
)
def test_only_wants_all_of_its_sections_and_except_one(text: str, *, expected: bool) -> None:
    """Within a section one entry is enough."""
    assert lists_admit(job(text), VARIABLES, TREE) == expected


def test_a_pattern_that_is_none_is_told() -> None:
    """A mistake is not taken for false."""
    with pytest.raises(PipelineError, match="/\\^ma"):
        lists_admit(job("only: ['/^ma']"), VARIABLES, TREE)

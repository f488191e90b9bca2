"""`rules: if:` expressions."""

import pytest

from executor.local.errors import PipelineError
from executor.local.pipeline.admission import first_match
from executor.local.pipeline.rules import Rule, RuleSyntaxError, evaluate
from tests.limited import limited

VARIABLES = {"CI_COMMIT_BRANCH": "main", "EMPTY": "", "PATTERN": "/^ma/", "OTHER": "main"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('$CI_COMMIT_BRANCH == "main"', True),
        ("$CI_COMMIT_BRANCH == 'main'", True),
        ('"main" == $CI_COMMIT_BRANCH', True),
        ('${CI_COMMIT_BRANCH} == "main"', True),
        ('$CI_COMMIT_BRANCH == "dev"', False),
        ('$CI_COMMIT_BRANCH != "dev"', True),
        ("$CI_COMMIT_BRANCH == $OTHER", True),
        ("$CI_COMMIT_BRANCH =~ /^ma/", True),
        ("$CI_COMMIT_BRANCH =~ /^MA/", False),
        ("$CI_COMMIT_BRANCH =~ /^MA/i", True),
        ("$CI_COMMIT_BRANCH =~ /feature\\/x/", False),
        ("$CI_COMMIT_BRANCH !~ /^dev/", True),
        ("$CI_COMMIT_BRANCH =~ $PATTERN", True),
        ("$CI_COMMIT_BRANCH =~ $OTHER", False),
        ("$ABSENT =~ /a/", False),
        ("$ABSENT !~ /a/", True),
        ("$CI_COMMIT_BRANCH", True),
        ("$EMPTY", False),
        ("$ABSENT", False),
        ("$ABSENT == null", True),
        ("$EMPTY == null", False),
        ('$EMPTY == ""', True),
        ("$CI_COMMIT_BRANCH != null", True),
        ("$ABSENT || $CI_COMMIT_BRANCH", True),
        ("$ABSENT && $CI_COMMIT_BRANCH", False),
        ("$CI_COMMIT_BRANCH || $ABSENT && $ABSENT", True),
        ("($CI_COMMIT_BRANCH || $ABSENT) && $ABSENT", False),
    ],
)
def test_an_expression_is_true_or_false(expression: str, *, expected: bool) -> None:
    """Variables, strings, patterns and null combine as in GitLab."""
    assert expected == evaluate(expression, VARIABLES)


@pytest.mark.parametrize(
    "expression",
    ["", "$A ==", "== $A", "$A = 'x'", "($A", "$A)", "$A 'x'", "$A =~ /(/", "main", "$A && "],
)
def test_what_is_not_an_expression_is_refused(expression: str) -> None:
    """A mistake is not taken for false."""
    with pytest.raises(RuleSyntaxError):
        evaluate(expression, VARIABLES)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), False),
        ((Rule(),), True),
        ((Rule("$ABSENT"),), False),
        ((Rule("$OTHER", "never"), Rule()), False),
        ((Rule("$ABSENT", "never"), Rule()), True),
    ],
)
def test_the_first_matching_rule_decides(rules: tuple[Rule, ...], *, expected: bool) -> None:
    """Without a match the job is not in the pipeline."""
    rule = first_match(rules, VARIABLES)
    assert expected == (rule is not None and rule.when != "never")


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("(" * 5000, "100"),
        (" && ".join(["$A"] * 5000), "100"),
        ("$A " + "x" * 100_000, "is not understood"),
    ],
    ids=["parentheses", "variables", "words"],
)
def test_an_expression_of_any_length(expression: str, word: str) -> None:
    """It is refused as in GitLab, with a sentence that people can read."""
    with pytest.raises(RuleSyntaxError, match=word) as raised:
        evaluate(expression, {})
    assert len(str(raised.value)) < 500


def test_a_rule_that_would_take_years() -> None:
    """Its text and its expression are the same author's."""
    assert (
        limited("""
from executor.local.pipeline.rules import evaluate
print(evaluate('"' + "a" * 100 + '!" =~ /^(a+)+$/', {}))
""")
        == "False\n"
    )


def test_a_variable_with_a_pattern_that_is_none() -> None:
    """It shows only when the rules are asked."""
    with pytest.raises(PipelineError, match="is not a regular expression"):
        first_match((Rule("$A =~ $B"),), {"A": "x", "B": "/(/"})

"""Expansion of variables, the server's and the runner's."""

import pytest

from executor.local.project.predefined import slug
from executor.local.project.variables import Variable, expand, resolved_by_server
from executor.local.runner.environment import JobVariables

VALUES = {"A": "one", "B_2": "two", "12": "twelve"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$A", "one"),
        ("${A}", "one"),
        ("x$A-${B_2}y", "xone-twoy"),
        ("$AB", ""),
        ("$ABSENT", ""),
        ("$$A", "$A"),
        ("$$", "$"),
        ("$1x", "x"),
        ("$@ $* $# $? $! $-", "     "),
        ("${1}", ""),
        ("${12}", "twelve"),
        ("${$}", "$"),
        ("100$", "100$"),
        ("$ A", "$ A"),
        ("$.", "$."),
        ("${", ""),
        ("${A", "A"),
        ("${}x", "x"),
        ("é$A", "éone"),
    ],
)
def test_the_runner_expands_by_the_rules_of_go(text: str, expected: str) -> None:
    """Special parameters vanish, `$$` is a dollar, a lone dollar stays."""
    assert expected == expand(text, lambda name: VALUES.get(name, ""))


def test_a_job_sees_the_last_definition_and_a_files_path() -> None:
    """Raw variables are not expanded, yet can be referenced."""
    variables = JobVariables(
        (
            Variable("A", "first"),
            Variable("A", "last"),
            Variable("FILE", "content $A", file=True, raw=True),
            Variable("RAW", "$A", raw=True),
            Variable("ALL", "$A ${FILE}_X $RAW $NONE"),
        ),
        "/builds/p.tmp",
    )
    values = {variable.key: variable.value for variable in variables.expanded()}
    assert values == {
        "A": "last",
        "FILE": "content $A",
        "RAW": "$A",
        "ALL": "last /builds/p.tmp/FILE_X $A ",
    }


def test_the_server_resolves_chains_of_references() -> None:
    """What is unknown, a file, raw or a circle is left for the runner."""
    variables = [
        Variable("IMAGE", "$REGISTRY/app:$TAG"),
        Variable("REGISTRY", "$HOST:5000"),
        Variable("HOST", "registry"),
        Variable("TAG", "${UNKNOWN}-$FILE-$RAW-$$HOST"),
        Variable("FILE", "x", file=True),
        Variable("RAW", "$HOST", raw=True),
        Variable("LEFT", "l$RIGHT"),
        Variable("RIGHT", "r$LEFT"),
    ]
    values = {variable.key: variable.value for variable in resolved_by_server(variables)}
    assert values["IMAGE"] == "registry:5000/app:${UNKNOWN}-$FILE-$RAW-$$HOST"
    assert values["RAW"] == "$HOST"
    assert values["LEFT"] == "lr$LEFT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Feature/X_1", "feature-x-1"), ("-a-", "a"), ("a" * 70, "a" * 63)],
)
def test_a_slug_fits_in_a_host_name(text: str, expected: str) -> None:
    """As CI_COMMIT_REF_SLUG does."""
    assert expected == slug(text)


def test_a_value_never_shows_in_a_repr() -> None:
    """A traceback may show a variable, not its value."""
    assert "hunter" not in repr(Variable("A", "hunter", masked=True))

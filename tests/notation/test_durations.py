"""Durations: GitLab's in a pipeline file, Go's in variables and messages."""

import pytest

from executor.notation.durations import age_text, gitlab_seconds, go_seconds, go_text
from tests.limited import limited


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h 30m", 5400),
        ("90 minutes", 5400),
        ("3 hours 30 minutes", 12600),
        ("2h20min", 8400),
        ("1 hour, 5 mins and 3 secs", 3903),
        ("1.5 hours", 5400),
        ("3600", 3600),
        ("1 day", 86400),
        ("1 week", 604800),
        ("1 mo", 2592000),
        ("", 0),
        ("soon", 0),
        ("5 parsecs", 0),
        ("-5 minutes", 0),
        ("0 minutes", 0),
    ],
)
def test_gitlabs_durations_are_words_and_letters(text: str, expected: int) -> None:
    """What is no duration is 0."""
    assert expected == gitlab_seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h30m", 5400.0),
        ("10s", 10.0),
        ("1.5m", 90.0),
        ("300ms", 0.3),
        ("0", 0.0),
        ("-5m", -300.0),
        ("", None),
        ("5", None),
        ("1h 30m", None),
        ("5 minutes", None),
    ],
)
def test_gos_durations_have_units_and_no_spaces(text: str, expected: float | None) -> None:
    """RUNNER_SCRIPT_TIMEOUT takes the durations that Go takes, and no others."""
    assert expected == go_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (3, "3s"),
        (59, "59s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (90061, "25h1m1s"),
    ],
)
def test_go_prints_a_duration_down_to_the_seconds(seconds: int, expected: str) -> None:
    """The text is the one in which gitlab-runner tells a time limit."""
    assert expected == go_text(seconds)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "9" * 150 + "h", "1s" * 100_000, "999999999 years", "200y"]
)
def test_a_duration_that_nobody_waits_for(text: str) -> None:
    """It is none, in either notation."""
    assert gitlab_seconds(text) == 0
    assert go_seconds(text) is None


def test_a_duration_takes_time_in_proportion_to_its_text() -> None:
    """Digits without a unit were tried in every way."""
    assert (
        limited("""
from executor.notation.durations import gitlab_seconds, go_seconds
print(gitlab_seconds("1" * 1_000_000), go_seconds("1" * 1_000_000), go_seconds("1" * 200))
""")
        == "0 None None\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-50.0, "0 s"),
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172800, "2 d"),
    ],
)
def test_ages(seconds: float | None, text: str) -> None:
    """An age is short; none is a dash, and one from the future is no age."""
    assert age_text(seconds) == text

"""The colours of gitlab-runner's job log."""

from executor.local.runner.colours import GREEN, RESET, coloured


def test_a_text_in_a_colour() -> None:
    """The colour ends with the text."""
    assert coloured("Job succeeded", GREEN) == f"{GREEN}Job succeeded{RESET}"


def test_a_text_without_a_colour() -> None:
    """The text stays as it is, without anything behind it."""
    assert coloured("Job succeeded", "") == "Job succeeded"

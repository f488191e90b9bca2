"""Go's words for yes."""

import pytest

from executor.notation.booleans import is_true


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_what_go_reads_as_true(text: str) -> None:
    """These six words are true, as in gitlab-runner's feature flags."""
    assert is_true(text)


@pytest.mark.parametrize("text", ["", "0", "false", "tRUE", "yes", "on", " true", "2"])
def test_everything_else_is_not_true(text: str) -> None:
    """A word that Go refuses turns nothing on."""
    assert not is_true(text)

"""What is wrong with services of the settings."""

import pytest

from executor.errors import SettingsError
from tests.builders import some_settings


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('alias = "db"', "docker.services[0]: it has no name"),
        ('name = "a"\nenvironment = ["secret-thing"]', "environment[0]: a variable must be"),
        ('name = "a"\nenvironment = ["1=secret-thing"]', "environment[0]: '1' is not the name"),
        ('name = "a"\nalas = "b"', "docker.services[0].alas: unknown key; did you mean alias?"),
    ],
)
def test_a_mistake_in_the_file(line: str, sentence: str) -> None:
    """Named by its place; a variable's value is not repeated."""
    with pytest.raises(SettingsError) as caught:
        some_settings(f"[[docker.services]]\n{line}")

    assert sentence in str(caught.value)
    assert "secret-thing" not in str(caught.value)

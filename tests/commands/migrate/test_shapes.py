"""Shapes of runners that administrators have, each with all that the command says of it.

`python -m tests.migrating` writes what is expected: read the difference before you commit it.
"""

from pathlib import Path

import pytest

from executor.settings.file import read_settings
from tests.migrating import SHAPES, expected_path, said_of, settings_of

FEWEST = 15


def test_there_are_enough_shapes() -> None:
    """None is without its expected output, and no output is without a shape."""
    outputs = sorted(each.stem for each in SHAPES[0].parent.glob("*.txt"))

    assert len(SHAPES) >= FEWEST
    assert [each.stem for each in SHAPES] == outputs


@pytest.mark.parametrize("shape", SHAPES, ids=lambda each: each.stem)
def test_a_shape_of_a_runner(shape: Path) -> None:
    """Settings, registration and sentences are as expected, and the settings are accepted."""
    said = said_of(shape)

    assert said == expected_path(shape).read_text(encoding="utf-8")
    read_settings(settings_of(said), "settings.toml")

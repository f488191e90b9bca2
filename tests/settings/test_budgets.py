"""What an administrator may write as a budget."""

import pytest

from executor.errors import SettingsError
from tests.builders import some_settings


@pytest.mark.parametrize(
    ("size", "wrong"),
    [("", ""), ("50g", ""), ("much", "must look like"), ("0", "must be more than 0"),
     ("0.0 GiB", "must be more than 0")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["volumes_size", "images_size"])
def test_a_budget(key: str, size: str, wrong: str) -> None:
    """It is a size of more than nothing, or empty: 0 must not pass for any amount."""
    text = f'[budgets]\n{key} = "{size}"\n'
    if not wrong:
        assert getattr(some_settings(text).budgets, key) == size
        return

    with pytest.raises(SettingsError, match=wrong):
        some_settings(text)

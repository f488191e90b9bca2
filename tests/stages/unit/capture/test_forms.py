"""A secret in each form in which a text may have it."""

import base64

import pytest

from executor.stages.capture.forms import forms
from tests.stages.unit.capture.planted import secret, spellings


@pytest.mark.parametrize("form", spellings("x"))
def test_each_form_is_known(form: str) -> None:
    """Some form is in each spelling."""
    text = spellings(secret("form"))[form]

    assert any(each in text or text in each for each in forms(secret("form")))


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "a", "ab", "abc"])
def test_base64_of_a_longer_text(before: str, after: str) -> None:
    """Wherever it begins and ends within what is encoded."""
    text = base64.b64encode(f"{before}a-secret-value{after}".encode()).decode()

    assert any(each in text for each in forms("a-secret-value"))


def test_a_short_one_has_none() -> None:
    """It would be in every second word."""
    assert forms("abc") == frozenset()
    assert forms("abcd")

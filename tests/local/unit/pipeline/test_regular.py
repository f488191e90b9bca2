"""Regular expressions of whoever writes a pipeline."""

import pytest
from pytest_mock import MockerFixture

from executor.local.pipeline import regular
from executor.local.pipeline.regular import BadExpression, Expression
from tests.limited import limited

ENDLESS = """
from executor.local.pipeline import regular
{how}
found = regular.Expression("^(a+)+$")
try:
    print(found.is_in("a" * 100 + "!"), found.fits("a" * 100 + "!"))
except regular.BadExpression as error:
    print(error)
"""


@pytest.fixture(params=["re2", "re"], autouse=True)
def _engine(request: pytest.FixtureRequest, mocker: MockerFixture) -> None:
    """Use either of the two."""
    if request.param == "re":
        mocker.patch.object(regular, "re2", None)


def test_a_part_or_the_whole() -> None:
    """An expression is looked for anywhere, or has to fit."""
    assert Expression("b").is_in("abc")
    assert not Expression("b").fits("abc")
    assert Expression("a.c", "s").fits("a\nc")
    assert Expression("^b$", "im").is_in("a\nB\nc")
    assert Expression(r"a\/b").fits("a/b")


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{2,1}", "x" * 20_000])
def test_what_is_none(pattern: str) -> None:
    """The error says why, and nothing is printed."""
    with pytest.raises(BadExpression):
        Expression(pattern)


def test_an_expression_that_would_take_years() -> None:
    """RE2 takes time in proportion to the text; Python's own engine is interrupted."""
    assert limited(ENDLESS.format(how="")) == "False False\n"
    assert limited(ENDLESS.format(how="regular.re2 = None")).startswith("it takes longer than")

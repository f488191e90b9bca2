"""The expansion of variables, by Go's rules: `os.Expand` and what gitlab-runner's lookup adds."""

import pytest

from executor.errors import UnsupportedJobOption
from executor.notation.expansion import expand
from tests.limited import limited

VALUES = {
    "A": "one",
    "_b2": "two",
    "REF": "$A",
    "EMPTY": "",
    "1st": "first",
    "A-B": "odd",
    "12": "twelve",
}


def lookup(key: str) -> str:
    return VALUES.get(key, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no dollar", "no dollar"),
        ("$A", "one"),
        ("${A}", "one"),
        ("x$A/y${A}z", "xone/yonez"),
        ("$A$A", "oneone"),
        ("$_b2.x", "two.x"),
        # the longest name is taken, also where a shorter one is known
        ("$Ab", ""),
        ("${A}b", "oneb"),
        ("$UNKNOWN", ""),
        ("${UNKNOWN}x", "x"),
        ("$EMPTY", ""),
        # one pass: what a variable holds is not looked at again
        ("$REF", "$A"),
        # names end at the first byte that is none of A-Z, a-z, 0-9 and _
        ("$A-x", "one-x"),
        ("$Aé", "oneé"),
        ("$é", "$é"),
        ("é$A", "éone"),
    ],
)
def test_names_are_replaced(text: str, expected: str) -> None:
    """`$X` and `${X}` become the value, an unknown one becomes empty."""
    assert expand(text, lookup) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$", "$"),
        ("$$A", "$A"),
        ("$$$A", "$one"),
        ("${$}", "$"),
        ("$", "$"),
        ("a$", "a$"),
        ("a$ b", "a$ b"),
        ("$/x", "$/x"),
        ("$.", "$."),
        ('"$"', '"$"'),
    ],
)
def test_a_dollar_stays_where_it_means_none(text: str, expected: str) -> None:
    """`$$` stands for one, and a dollar that no name follows is kept."""
    assert expand(text, lookup) == expected


@pytest.mark.parametrize("special", list("*#@!?-0123456789"))
def test_specials_of_a_shell_become_empty(special: str) -> None:
    """`$1`, `$@` and the like take one character only."""
    assert expand(f"a${special}b", lookup) == "ab"
    assert expand(f"a${{{special}}}b", lookup) == "ab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${}", ""),
        ("a${}b", "ab"),
        # without an end, the two characters are eaten and the rest is text
        ("${A", "A"),
        ("${", ""),
        ("a${b $A", "ab one"),
        # a name in braces reaches to the first brace, whatever it holds
        ("${A-B}", "odd"),
        ("${A:-default}", ""),
        ("${1st}", "first"),
        ("$1st", "st"),
        ("${12}", "twelve"),
        ("${${A}}", "}"),
    ],
)
def test_braces(text: str, expected: str) -> None:
    """Braces take any name; what is no syntax is eaten as Go eats it."""
    assert expand(text, lookup) == expected


def test_the_lookup_sees_each_name_once() -> None:
    """A lookup that counts is asked as often as a name stands there."""
    seen: list[str] = []

    def record(key: str) -> str:
        seen.append(key)
        return key.lower()

    assert expand("$A ${B} $$C $1 $A", record) == "a b $C  a"
    assert seen == ["A", "B", "A"]


def test_an_expansion_ends_where_nobody_wants_more() -> None:
    """A text of two kilobytes, and a variable of a hundred, make 100 MB: nothing is copied of that."""
    shown = limited("""
from executor.errors import UnsupportedJobOption
from executor.notation.expansion import expand
value = "x" * 100_000
try:
    expand("$A" * 1_000_000, lambda _: value, 521)
except UnsupportedJobOption as error:
    print(error)
""")

    assert shown.startswith('"$A$A')
    assert "has more than 521 characters with its variables expanded" in shown
    assert len(shown) < 500


def test_a_text_without_variables_may_be_too_long_too() -> None:
    """gitlab-runner has expanded some texts before."""
    assert expand("x" * 521, lookup, 521) == "x" * 521
    with pytest.raises(UnsupportedJobOption, match="more than 521"):
        expand("x" * 522, lookup, 521)


def test_braces_that_nobody_closes() -> None:
    """Each would be looked for up to the end."""
    assert (
        limited("""
from executor.notation.expansion import expand
print(len(expand("${" * 2_000_000, lambda _: "", 10_000_000)))
""")
        == "0\n"
    )

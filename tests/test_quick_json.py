"""JSON as the standard library has it, without loading that."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor import quick_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)
TEXTS: list[str | bytes] = [
    "",
    " ",
    "{",
    "[1,",
    '{"a":1} x',
    "[NaN, -Infinity]",
    '"half',
    '{"a":',
    "tru",
    "[1 2]",
    '"\x01"',
    '{"a" 1}',
    "{1: 2}",
    "-",
    "1" * 5000,
    '["\\ud800"]',
    "\ufeff{}",
    b"\xff",
    b'"\xed\xa0\x80"',
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    b' \t\n\r{"a": [1, 2.5, 1e3, null, true, "\xc3\xa9"]} \t\n\r',
    b"\x0b{}",
]


@given(VALUES)
def test_texts_are_the_same(value: object) -> None:
    """Whatever the value is."""
    assert quick_json.dumps(value) == json.dumps(value)
    assert quick_json.dumps(value, quick_json.COMPACT) == json.dumps(value, separators=(",", ":"))


@given(VALUES)
def test_values_are_the_same(value: object) -> None:
    """NaN, which no value equals, has its text compared."""
    text = json.dumps(value)

    assert json.dumps(quick_json.loads(text)) == json.dumps(json.loads(text))
    assert json.dumps(quick_json.loads(text.encode())) == json.dumps(json.loads(text))


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_not_quite_json(text: str | bytes) -> None:
    """The same value, or the same error with the same words."""
    assert read(quick_json.loads, text) == read(json.loads, text)


def read(loads: object, text: str | bytes) -> str:
    """Return what comes of a text."""
    assert callable(loads)
    try:
        return repr(loads(text))
    except ValueError as error:
        return f"{type(error)} {error}"


@pytest.mark.parametrize("text", [each for each in TEXTS if isinstance(each, str)])
def test_errors_where_json_is_not_loaded(text: str) -> None:
    """What does the work looks for the error's class in a module that no stage loads."""
    program = (
        "import sys; from executor.quick_json import loads; assert 'json' not in sys.modules\n"
        "try: print(ascii(loads(sys.stdin.buffer.read().decode())))\n"
        "except ValueError as error: print(type(error), ascii(str(error)))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", program], input=text.encode(), capture_output=True, check=False
    )

    try:
        wanted = ascii(json.loads(text))
    except ValueError as error:
        wanted = f"{type(error)} {str(error)!a}"
    assert done.stdout.decode().rstrip("\n") == wanted, done


def test_what_is_too_deep() -> None:
    """As `json` says it."""
    with pytest.raises(RecursionError):
        quick_json.loads("[" * 100_000)


def test_what_has_no_text() -> None:
    """Nothing of ours is written by chance."""
    with pytest.raises(TypeError, match="object has no JSON text"):
        quick_json.dumps({"a": object()})


OTHERS = {
    "none": "sys.modules['_json'] = None",
    "another scanner": "_json.make_scanner = lambda ways: ways.array_hook",
    "another encoder": "_json.make_encoder = lambda *, markers: markers",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_python_whose_json_works_in_another_way(other: str) -> None:
    """What does the work is private to `json`, and a later Python may change it."""
    program = (
        f"import json, sys, _json; {other}\n"
        "from executor.quick_json import COMPACT, dumps, loads\n"
        "print(dumps(loads(sys.argv[1]), COMPACT))\n"
        "try: loads('[')\nexcept ValueError: pass\nelse: sys.exit('no error')\n"
        "try: dumps(object())\nexcept TypeError: pass\nelse: sys.exit('no error')"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", program, '{"a": [1, null]}'], capture_output=True, check=False
    )

    assert done.stdout == b'{"a":[1,null]}\n', done

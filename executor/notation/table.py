"""Typed reading of TOML and JSON tables: pure.

Every mistake is noted with its path and reading goes on, so that a reader learns of all of them
at once. A sentence names the type of a wrong value and never the value, which may be a secret;
only choices and bounds, which are never secret, repeat what was written.
"""

from collections.abc import Collection, Iterable, Mapping

from executor.bounds import LARGEST
from executor.excerpts import excerpt

_TYPE_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a fraction",
    str: "a string",
    list: "a list",
    dict: "a table",
    type(None): "nothing",
}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


_MOST_PROBLEMS = 100
"""How many mistakes are named, and for how many a word is looked for that may be meant."""
_LONGEST_PATH = 200
_LONGEST_SENTENCE = 600


class Problems:
    """The mistakes found in one document, shared by all of its tables; the first hundred of them."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, path: str, sentence: str) -> None:
        """Note what is wrong at a path, once."""
        where = excerpt(path, _LONGEST_PATH) or "the document"
        text = f"{where}: {excerpt(sentence, _LONGEST_SENTENCE)}"
        if not self.full and text not in self.texts:
            self.texts.append(text)
            if len(self.texts) == _MOST_PROBLEMS:
                self.texts.append("the document: it has more mistakes than these")

    @property
    def full(self) -> bool:
        """Tell whether no more mistakes are named."""
        return len(self.texts) >= _MOST_PROBLEMS

    def __bool__(self) -> bool:
        return bool(self.texts)


class Table:
    """One table, read key by key.

    A key that is absent or null takes the default; one without a default must be there. A value
    of another type is noted and read as the default, or as the empty value of its type.
    """

    __slots__ = ("_asked", "_values", "path", "problems")

    def __init__(self, values: object, problems: Problems, path: str = "") -> None:
        self.problems = problems
        self.path = path
        self._asked: dict[str, None] = {}
        self._values: Mapping[str, object] = {}
        if isinstance(values, dict):
            self._values = values
        else:
            problems.add(path, _expected("a table", values))

    def __contains__(self, key: str) -> bool:
        """Tell whether a key is there with a value."""
        return self._values.get(key) is not None

    def has(self, key: str) -> bool:
        """Ask for a key: tell whether it is there with a value, and take it for a known one."""
        self._asked[key] = None
        return self._values.get(key) is not None

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there, whatever their values."""
        return tuple(self._values)

    def note(self, key: str, sentence: str) -> None:
        """Note what is wrong with a key."""
        self.problems.add(self.path_of(key), sentence)

    def note_element(self, key: str, place: int, sentence: str) -> None:
        """Note what is wrong with an element of a list."""
        self.problems.add(f"{self.path_of(key)}[{place}]", sentence)

    def path_of(self, key: str) -> str:
        """Return the path of a key from the top of the document."""
        name = key if key and _BARE.issuperset(key) else f'"{key}"'
        return f"{self.path}.{name}" if self.path else name

    def string(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._value(key, required=default is None)
        if isinstance(value, str):
            return value
        self._note_type(key, "a string", value)
        return default or ""

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of some strings."""
        value = self.string(key, default)
        if value in choices or key not in self or not isinstance(self._values[key], str):
            return value
        close = closest(value, choices)
        hint = f"; did you mean {close}?" if close else ""
        self.note(key, f"{excerpt(value)!r} is not one of: {', '.join(choices)}{hint}")
        return default or ""

    def integer(
        self,
        key: str,
        default: int | None = None,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
    ) -> int:
        """Return a whole number within bounds; true and false are none."""
        value = self._value(key, required=default is None)
        if not isinstance(value, int) or isinstance(value, bool):
            self._note_type(key, "a whole number", value)
            return default or 0
        smallest = -LARGEST - 1 if minimum is None else minimum
        largest = LARGEST if maximum is None else maximum
        if value < smallest:
            self.note(key, f"{_shown(value)} is too small: the minimum is {smallest}")
        elif value > largest:
            self.note(key, f"{_shown(value)} is too large: the maximum is {largest}")
        else:
            return value
        return default or 0

    def boolean(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._value(key, required=default is None)
        if isinstance(value, bool):
            return value
        self._note_type(key, "true or false", value)
        return bool(default)

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of strings; wrong elements are noted by their place and left out."""
        if key not in self:
            self._asked[key] = None
            return default
        texts: list[str] = []
        for place, each in self._elements(key):
            if isinstance(each, str):
                texts.append(each)
            else:
                self.note_element(key, place, _expected("a string", each))
        return tuple(texts)

    def string_or_strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of strings, which may be written as one string."""
        value = self._value(key)
        if isinstance(value, str):
            return (value,)
        if value is not None and not isinstance(value, list):
            self._note_type(key, "a string or a list of strings", value)
            return default
        return self.strings(key, default)

    def optional_boolean(self, key: str) -> bool | None:
        """Return true, false, or None where the key is absent."""
        value = self._value(key)
        return None if value is None else self.boolean(key, default=False)

    def table(self, key: str) -> "Table":
        """Return a table, empty where there is none."""
        value = self._value(key)
        return Table({} if value is None else value, self.problems, self.path_of(key))

    def tables(self, key: str) -> tuple["Table", ...]:
        """Return a list of tables."""
        return tuple(
            Table(each, self.problems, f"{self.path_of(key)}[{place}]")
            for place, each in self._elements(key)
        )

    def note_unknown_keys(self, reasons: Mapping[str, str] | None = None) -> None:
        """Note every key that nothing asked for: why it cannot be, or which one it resembles."""
        for key in self._values:
            if reasons and key in reasons:
                self.note(key, reasons[key])
            elif key not in self._asked:
                close = "" if self.problems.full else closest(key, self._asked)
                self.note(key, f"unknown key; did you mean {close}?" if close else "unknown key")

    def _value(self, key: str, *, required: bool = False) -> object:
        self._asked[key] = None
        value = self._values.get(key)
        if value is None and required:
            self.note(key, "is missing")
        return value

    def _elements(self, key: str) -> Iterable[tuple[int, object]]:
        value = self._value(key)
        if isinstance(value, list):
            return enumerate(value)
        self._note_type(key, "a list", value)
        return ()

    def _note_type(self, key: str, wanted: str, value: object) -> None:
        """Note a value of the wrong type; absence, which is None, was dealt with before."""
        if value is not None:
            self.note(key, _expected(wanted, value))


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that a mistaken one most resembles, or ""."""
    if len(word) > _LONGEST_PATH:
        return ""
    import difflib  # a mistake is rare, and the import is 10 ms

    return next(iter(difflib.get_close_matches(word, known, n=1)), "")


def _shown(number: int) -> str:
    """Return a number in digits, which Python writes only up to a length."""
    return str(number) if -LARGEST <= number <= LARGEST else "a number of more than 64 bits"


def _expected(wanted: str, value: object) -> str:
    return f"expected {wanted}, found {_TYPE_NAMES.get(type(value), type(value).__name__)}"

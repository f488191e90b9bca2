"""Data classes that cost little to load."""

import copy
import dataclasses
import pickle
from functools import cached_property

import pytest

from executor.dataclass import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Login:
    """An example of everything that a class may say."""

    host: str
    user: str = "nobody"
    password: str = field(default="", repr=False)
    options: dict[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Counter:
    """Works something out."""

    value: str

    @cached_property
    def letters(self) -> list[str]:
        """Return a new list each time that it is worked out."""
        return list(self.value)


LOGIN = Login("a.example", password="secret")


def test_attributes_have_their_values_and_defaults() -> None:
    """By position and by name."""
    assert (LOGIN.host, LOGIN.user, LOGIN.password, LOGIN.options) == (
        "a.example",
        "nobody",
        "secret",
        {},
    )
    assert Login("h", "u", options={"a": "b"}).options == {"a": "b"}
    assert LOGIN.options is not Login("a.example").options


@pytest.mark.parametrize(
    ("args", "values"),
    [
        ((), {}),
        ((), {"user": "u"}),
        (("h",), {"hots": "h"}),
        ((), {"hots": "h"}),
        (("h", "u", "p", {}, "more"), {}),
    ],
)
def test_missing_and_unknown_attributes(args: tuple[str, ...], values: dict[str, str]) -> None:
    """Nothing is half made."""
    with pytest.raises(TypeError, match="Login takes"):
        Login(*args, **values)  # type: ignore[arg-type]


def test_nothing_changes() -> None:
    """Neither an attribute nor anything beside it is written or deleted."""
    with pytest.raises(AttributeError, match="does not change: host"):
        LOGIN.host = "b.example"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="does not change: other"):
        LOGIN.other = "b.example"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="does not change: host"):
        del LOGIN.host


def test_a_class_that_changes_is_refused() -> None:
    """All share the methods of those that do not."""
    with pytest.raises(TypeError, match="frozen"):
        dataclass(frozen=False)(Counter)


def test_what_is_secret_is_not_shown() -> None:
    """As the class says."""
    assert repr(LOGIN) == "Login(host='a.example', user='nobody', options={})"


def test_equal_values_are_one_key() -> None:
    """What does not count is left out of both."""
    same = Login("a.example", password="secret", options={"a": "b"})
    other = Login("a.example", password="other")

    assert same == LOGIN
    assert hash(same) == hash(LOGIN)
    assert other != LOGIN
    assert len({same, LOGIN, other}) == 2
    others: list[object] = ["a.example", Counter("a.example")]
    assert LOGIN not in others


def test_replaced_values_stand_in_another_instance() -> None:
    """What was worked out of the old values does not."""
    counter = Counter("ab")
    assert counter.letters == ["a", "b"]
    assert counter.letters is counter.letters

    other = replace(counter, value="c")

    assert (other.letters, counter.letters) == (["c"], ["a", "b"])
    assert replace(LOGIN, user="u") == Login("a.example", "u", "secret")
    with pytest.raises(TypeError, match="Login takes"):
        replace(LOGIN, usr="u")  # type: ignore[call-arg]


def test_what_was_worked_out_does_not_count() -> None:
    """Two of the same values are equal before and after."""
    worked_out, fresh = Counter("ab"), Counter("ab")
    assert worked_out.letters

    assert worked_out == fresh
    assert repr(worked_out) == repr(fresh)


def test_the_standard_library_knows_them() -> None:
    """Commands and tests use its functions."""
    assert dataclasses.asdict(LOGIN) == {
        "host": "a.example",
        "user": "nobody",
        "password": "secret",
        "options": {},
    }
    assert dataclasses.replace(LOGIN, user="u") == Login("a.example", "u", "secret")
    assert [(each.name, each.repr, each.compare) for each in dataclasses.fields(Login)] == [
        ("host", True, True),
        ("user", True, True),
        ("password", False, True),
        ("options", True, False),
    ]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_are_equal(copied: object) -> None:
    """A copy is another instance with the same values."""
    assert callable(copied)
    assert copied(LOGIN) == LOGIN


def test_methods_of_a_class_stay_its_own() -> None:
    """A class that says how it is shown is shown so."""

    @dataclass(frozen=True)
    class Shown:
        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(Shown("as it is")) == "as it is"

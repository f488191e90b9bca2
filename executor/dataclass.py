"""Frozen data classes that cost little to load: `dataclass`, `field` and `replace`.

They do what those of the standard library do, as far as it is used here, and checkers take them for
those. The standard ones write and compile code for each class, a third of a millisecond in each
process, and load `inspect` for it; here all classes share their methods.
"""

from collections.abc import Callable

TYPE_CHECKING = False  # the name counts for checkers, and `typing` is slow to import
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from typing import NoReturn, TypeVar

    T = TypeVar("T")

__all__ = ["dataclass", "field", "replace"]

_UNSET = object()


class _Field:
    """What a class says of an attribute beyond its type."""

    __slots__ = ("compare", "default", "default_factory", "repr")

    def __init__(
        self,
        *,
        default: object = _UNSET,
        default_factory: Callable[[], object] | None = None,
        repr: bool = True,  # noqa: A002 (as the standard library has it)
        compare: bool = True,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.repr = repr
        self.compare = compare


class _Fields:
    """The attributes of a class."""

    __slots__ = ("compared", "defaults", "factories", "known", "names", "shown")

    def __init__(self, kind: type) -> None:
        """Take them out of the class, where no instance may find what only declares them."""
        self.names = tuple(kind.__annotations__)
        self.known = frozenset(self.names)
        self.defaults: dict[str, object] = {}
        self.factories: dict[str, Callable[[], object]] = {}
        shown, compared = [], []
        for name in self.names:
            said = vars(kind).get(name, _UNSET)
            if isinstance(said, _Field):
                delattr(kind, name)
            else:
                said = _Field(default=said)
            if said.default_factory:
                self.factories[name] = said.default_factory
            elif said.default is not _UNSET:
                self.defaults[name] = said.default
            if said.repr:
                shown.append(name)
            if said.compare:
                compared.append(name)
        self.shown, self.compared = tuple(shown), tuple(compared)


class _Data:
    """What all data classes do."""

    FIELDS: _Fields

    def __init__(self, /, *args: object, **values: object) -> None:
        fields = self.FIELDS
        found = {**fields.defaults, **dict(zip(fields.names, args, strict=False)), **values}
        for name, make in fields.factories.items():
            if name not in found:
                found[name] = make()
        if found.keys() != fields.known or len(args) > len(fields.names):
            raise TypeError(f"{type(self).__name__} takes {fields.names}, not {tuple(found)}")
        self.__dict__.update(found)

    def __setattr__(self, name: str, _value: object) -> "NoReturn":
        raise AttributeError(f"{type(self).__name__} does not change: {name}")

    def __delattr__(self, name: str) -> "NoReturn":
        raise AttributeError(f"{type(self).__name__} does not change: {name}")

    def __repr__(self) -> str:
        values = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.FIELDS.shown])
        return f"{type(self).__qualname__}({values})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash(_compared(self))


class _Standard:
    """By what the standard library knows a data class, so that its functions take ours too.

    No stage uses them.
    """

    def __get__(self, _instance: object, kind: type[_Data]) -> object:
        from dataclasses import field, make_dataclass  # noqa: PLC0415 (see above)

        fields = kind.FIELDS
        known = [
            (name, object, field(repr=name in fields.shown, compare=name in fields.compared))
            for name in fields.names
        ]
        found = getattr(make_dataclass(kind.__name__, known), _STANDARD)
        setattr(kind, _STANDARD, found)
        return found


_STANDARD = "__dataclass_fields__"
_COMMON = (
    *((name, each) for name, each in vars(_Data).items() if callable(each)),
    (_STANDARD, _Standard()),
)


def _compared(value: _Data) -> tuple[object, ...]:
    own = value.__dict__
    return tuple([own[name] for name in value.FIELDS.compared])


def _dataclass(*, frozen: bool, slots: bool = False) -> "Callable[[type[T]], type[T]]":
    """Make a class of attributes a data class; each is frozen.

    `slots` is for checkers: nothing but the attributes is ever written.
    """
    if not frozen:
        raise TypeError(f"data classes of dind-executor are frozen (slots: {slots})")

    def make(kind: "type[T]") -> "type[T]":
        kind.FIELDS = _Fields(kind)  # type: ignore[attr-defined]
        for name, each in _COMMON:
            if name not in vars(kind):
                setattr(kind, name, each)
        return kind

    return make


def _replace(value: _Data, /, **changes: object) -> _Data:
    """Return a data class's instance with other values for some of its attributes."""
    own = value.__dict__
    return type(value)(**{**{name: own[name] for name in value.FIELDS.names}, **changes})


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _Field, _replace

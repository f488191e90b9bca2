"""What a settings key is: its type, its bounds and its documentation, all beside its default.

A section of the settings is a class, and each of its keys an attribute that `key` declares. It may
have a `section` below it, which is a table of its own in the file, and a `group`, whose keys stand
in the same table. Reading, checking and documenting go by these declarations alone, so that a new
key is one new attribute. Pure.

Dataclasses would do for this, at the price of code that each process would write and compile.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, NoReturn, Self, TypeVar, cast, dataclass_transform

Check = Callable[[str], str]
"""Returns what is wrong with a string, "" if nothing is."""

T = TypeVar("T")

STRING_OR_LIST = "a string, or a list of strings"
TABLE_OF_LISTS = "a table of lists of strings"


class Key:
    """What is known of a key beyond its name; `key` says what each word means."""

    ours: bool
    unit: str
    choices: tuple[str, ...]
    minimum: int | None
    maximum: int | None
    check: Check | None
    check_name: Check | None
    unset: str
    otherwise: str
    shape: str
    section: "type[Section] | None"

    def __init__(self, doc: str, default: object, **more: object) -> None:
        self.doc = doc
        self.default = default
        self.__dict__.update(more)

    def initial(self) -> object:
        """Return the default, a table as one that nothing else holds."""
        return {} if isinstance(self.default, dict) else self.default


class Part:
    """A section below another one, or a group of keys in the same table."""

    __slots__ = ("also", "factory", "grouped", "prefix", "unset", "who")

    def __init__(self, factory: "type[Section]", *, grouped: bool) -> None:
        self.factory = factory
        self.grouped = grouped
        self.prefix = self.who = self.also = self.unset = ""

    def initial(self) -> "Section":
        """Return the section with its defaults."""
        return self.factory()

    def explained(self, name: str, each: Key) -> Key:
        """Return a key of a group as it is documented there."""
        if not self.who:
            return each
        unset = self.unset.format(name=name) or each.unset
        nothing = "0" if each.default == 0 else "Empty"
        texts = (each.doc.format(who=self.who), self.also, f"{nothing}: {unset}.")
        return Key(**{**each.__dict__, "doc": " ".join(text for text in texts if text)})


def key(  # noqa: PLR0913 (all by keyword, but for the text)
    doc: str,
    *,
    default: T,
    ours: bool = False,
    unit: str = "",
    choices: tuple[str, ...] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    check: Check | None = None,
    check_name: Check | None = None,
    unset: str = "",
    otherwise: str = "",
    shape: str = "",
    section: "type[Section] | None" = None,
) -> T:
    """Declare a key.

    doc: meaning and unit, for an administrator; `{who}` is what the key's group says.
    ours: gitlab-runner's config.toml does not have the key, though it has others of its table.
    check: looks at a string, or at each string of a list. An empty string is not looked at: it is
        good if the default is empty, and else a mistake.
    check_name: looks at each name in a table.
    unset: what an empty value or 0 means, for a key in a group that says `who`.
    otherwise: the default in words, if it depends on something else; the key is shown unset.
    shape: what the default's type does not say: `STRING_OR_LIST`, `TABLE_OF_LISTS`, or "".
    section: what each table of a list of tables is.
    """
    declared = Key(
        doc,
        default,
        ours=ours,
        unit=unit,
        choices=choices,
        minimum=minimum,
        maximum=maximum,
        check=check,
        check_name=check_name,
        unset=unset,
        otherwise=otherwise,
        shape=shape,
        section=section,
    )
    return cast("T", declared)


def section(*, factory: type[T]) -> T:
    """Declare a section below this one, in a table of its own."""
    return cast("T", Part(cast("type[Section]", factory), grouped=False))


def group(
    *, factory: type[T], prefix: str = "", who: str = "", also: str = "", unset: str = ""
) -> T:
    """Declare keys that stand in the same table, their names behind a prefix.

    In the documentation, `who` is what has the limits, `also` stands behind the meaning of each
    key, and `unset` says what an empty value means, with the key's own name as `{name}`.
    """
    part = Part(cast("type[Section]", factory), grouped=True)
    part.prefix, part.who, part.also, part.unset = prefix, who, also, unset
    return cast("T", part)


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(key, section, group)
)
class Section:
    """A part of the settings: its attributes are the values of its keys, and do not change."""

    SAME_AS: ClassVar[str] = ""
    """The table of gitlab-runner's config.toml whose keys mean the same, or ""."""
    REFUSED: ClassVar[Mapping[str, str]] = {}
    """Keys that an administrator may bring along and that cannot be here, and why."""
    DECLARED: ClassVar[Mapping[str, Key | Part]] = {}

    def __init_subclass__(cls) -> None:
        cls.DECLARED = {
            name: each for name, each in vars(cls).items() if isinstance(each, (Key, Part))
        }

    def __init__(self, **values: object) -> None:
        for name, each in self.DECLARED.items():
            self.__dict__[name] = values.pop(name) if name in values else each.initial()
        if values:
            raise TypeError(f"{type(self).__name__} has no key {', '.join(values)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings do not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"

    def changed(self, **values: object) -> Self:
        """Return the section with other values for some of its keys."""
        return type(self)(**{**self.__dict__, **values})


def keys_of(kind: type[Section]) -> Iterator[tuple[str, Key]]:
    """Yield name and key of all that stands in a section's table, those of its groups among it."""
    for name, each in kind.DECLARED.items():
        if isinstance(each, Key):
            yield name, each
        elif each.grouped:
            for own, its in keys_of(each.factory):
                yield each.prefix + own, each.explained(own, its)


def same_keys(kind: type[Section]) -> dict[str, Key]:
    """Return the keys that gitlab-runner's config.toml has by the same names in `SAME_AS`."""
    return {name: each for name, each in keys_of(kind) if kind.SAME_AS and not each.ours}

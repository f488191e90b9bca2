"""What a settings key is, and the sections that keys make."""

import pytest

from executor.settings.keys import Key, Section, group, key, keys_of, same_keys, section


class Limits(Section):
    """Keys for more than one table."""

    memory: str = key("Memory that {who} may use.", default="", unset="no limit")
    shares: int = key("Weight of {who}.", default=0, unset="as `{name}`")


class Inner(Section):
    """A table below another one."""

    name: str = key("A name.", default="a")


class Outer(Section):
    """A table with keys, a group of keys and a table below it."""

    SAME_AS = "runners.docker"

    image: str = key("An image.", default="")
    tables: dict[str, str] = key("Some tables.", default={})
    own: bool = key("A key of ours.", default=False, ours=True)
    services: Limits = group(
        factory=Limits,
        prefix="service_",
        who="each service",
        also="Not for dind.",
        unset="no limit",
    )
    inner: Inner = section(factory=Inner)


def test_a_section_has_its_defaults() -> None:
    """A section without values is what an empty table is read as."""
    outer = Outer()

    assert (outer.image, outer.own, outer.tables) == ("", False, {})
    assert (outer.services, outer.inner) == (Limits(), Inner())


def test_defaults_are_not_shared() -> None:
    """A table that is a default belongs to one section."""
    assert Outer().tables is not Outer().tables


def test_a_section_with_values() -> None:
    """Values take the place of defaults, and a key that nobody declared is a mistake of ours."""
    assert Outer(image="ruby", inner=Inner(name="b")).inner.name == "b"
    with pytest.raises(TypeError, match="Inner has no key nam"):
        Inner(nam="b")  # type: ignore[call-arg]


def test_settings_do_not_change() -> None:
    """A section is changed by making another one."""
    outer = Outer(image="ruby")

    with pytest.raises(AttributeError, match="settings do not change: image"):
        outer.image = "alpine"  # type: ignore[misc]

    changed = outer.changed(own=True)
    assert (changed.image, changed.own, outer.own) == ("ruby", True, False)


def test_sections_are_equal_by_their_values() -> None:
    """Sections of different kinds are never equal, whatever is in them."""
    assert Inner() == Inner(name="a")
    assert Inner() != Inner(name="b")
    assert Inner() != Limits()
    assert repr(Inner()) == "Inner(name='a')"


def test_the_keys_of_a_table() -> None:
    """The keys of a group stand in the same table behind its prefix, those below do not."""
    assert [name for name, _ in keys_of(Outer)] == [
        "image",
        "tables",
        "own",
        "service_memory",
        "service_shares",
    ]


def test_a_key_of_a_group_is_documented_there() -> None:
    """Its meaning names who has the limit, then what else is so, and what an empty value means."""
    found: dict[str, Key] = dict(keys_of(Outer))

    assert found["service_memory"].doc == (
        "Memory that each service may use. Not for dind. Empty: no limit."
    )
    assert found["service_shares"].doc == "Weight of each service. Not for dind. 0: no limit."
    assert dict(keys_of(Limits))["memory"].doc == "Memory that {who} may use."


def test_which_keys_are_gitlab_runners_as_well() -> None:
    """All of a table that has the same in config.toml, but for those that are ours."""
    assert sorted(same_keys(Outer)) == ["image", "service_memory", "service_shares", "tables"]
    assert same_keys(Inner) == {}

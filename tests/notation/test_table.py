"""The reader of tables: types, bounds, paths, and all mistakes at once."""

import pytest

from executor.notation.table import Problems, Table, closest


def a_table(values: object) -> tuple[Table, Problems]:
    problems = Problems()
    return Table(values, problems), problems


def test_values_of_the_right_type_are_returned() -> None:
    """Each reader returns the value that is there, and notes nothing."""
    table, problems = a_table(
        {"text": "a", "number": 7, "switch": True, "list": ["b", "c"], "kind": "x"}
    )

    read = (
        table.string("text"),
        table.integer("number", minimum=7, maximum=7),
        table.boolean("switch"),
        table.strings("list"),
        table.choice("kind", ("x", "y")),
    )

    assert read == ("a", 7, True, ("b", "c"), "x")
    assert not problems


@pytest.mark.parametrize(
    "values", [{}, dict.fromkeys(("text", "number", "switch", "list", "kind"))]
)
def test_an_absent_or_null_key_takes_its_default(values: dict[str, object]) -> None:
    """JSON writes null for what is not set; it reads like a key that is not there."""
    table, problems = a_table(values)

    read = (
        table.string("text", "d"),
        table.integer("number", 3),
        table.boolean("switch", default=True),
        table.strings("list", ("e",)),
        table.choice("kind", ("x", "y"), "y"),
        table.tables("tables"),
        table.table("table").string("inner", "f"),
        "text" in table,
    )

    assert read == ("d", 3, True, ("e",), "y", (), "f", False)
    assert not problems


def test_a_key_without_a_default_must_be_there() -> None:
    """Each required key that is missing is named."""
    table, problems = a_table({"inner": {}})

    read = (
        table.string("text"),
        table.integer("number"),
        table.boolean("switch"),
        table.choice("kind", ("x", "y")),
        table.table("inner").string("text"),
    )

    assert read == ("", 0, False, "", "")
    assert problems.texts == [
        "text: is missing",
        "number: is missing",
        "switch: is missing",
        "kind: is missing",
        "inner.text: is missing",
    ]


@pytest.mark.parametrize(
    ("reader", "value", "sentence"),
    [
        ("string", 1, "expected a string, found a whole number"),
        ("string", ["a"], "expected a string, found a list"),
        ("integer", True, "expected a whole number, found true or false"),
        ("integer", 1.5, "expected a whole number, found a fraction"),
        ("integer", "1", "expected a whole number, found a string"),
        ("boolean", 1, "expected true or false, found a whole number"),
        ("boolean", "true", "expected true or false, found a string"),
        ("strings", "a", "expected a list, found a string"),
        ("strings", {}, "expected a list, found a table"),
        ("tables", {"a": 1}, "expected a list, found a table"),
        ("table", [], "expected a table, found a list"),
        ("table", "", "expected a table, found a string"),
        ("table", False, "expected a table, found true or false"),
    ],
)
def test_a_value_of_another_type_is_noted(reader: str, value: object, sentence: str) -> None:
    """The sentence names both types and the path."""
    table, problems = a_table({"outer": {"key": value}})

    getattr(table.table("outer"), reader)("key")

    assert problems.texts == [f"outer.key: {sentence}"]


def test_a_value_of_another_type_is_not_repeated() -> None:
    """What is written where it does not belong may be a secret."""
    table, problems = a_table({"number": "hunter2", "list": ["a", {"password": "hunter2"}]})

    table.integer("number")
    table.strings("list")
    table.tables("list")

    assert len(problems.texts) == 3
    assert "hunter2" not in "".join(problems.texts)


def test_a_wrong_value_reads_as_the_default() -> None:
    """Reading goes on with something of the right type."""
    table, _ = a_table({"text": 1, "number": "a", "low": 0, "switch": "on", "kind": "z"})

    read = (
        table.string("text", "d"),
        table.integer("number", 3),
        table.integer("low", 3, minimum=1),
        table.boolean("switch", default=True),
        table.choice("kind", ("x", "y"), "y"),
    )

    assert read == ("d", 3, 3, True, "y")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0, "number: 0 is too small: the minimum is 1"),
        (10, "number: 10 is too large: the maximum is 9"),
    ],
)
def test_bounds_are_part_of_the_sentence(value: int, sentence: str) -> None:
    """A number out of bounds is named with the bound."""
    table, problems = a_table({"number": value})

    table.integer("number", 5, minimum=1, maximum=9)

    assert problems.texts == [sentence]


def test_a_choice_that_is_close_is_suggested() -> None:
    """A misspelt choice names the choices and the one that was probably meant."""
    table, problems = a_table({"dind": {"mode": "alway"}})

    table.table("dind").choice("mode", ("always", "service"), "always")

    assert problems.texts == [
        "dind.mode: 'alway' is not one of: always, service; did you mean always?"
    ]


def test_a_choice_that_is_far_off_gets_no_suggestion() -> None:
    """No suggestion is better than a wild one."""
    table, problems = a_table({"mode": "qqq"})

    table.choice("mode", ("always", "service"))

    assert problems.texts == ["mode: 'qqq' is not one of: always, service"]


def test_wrong_elements_are_named_by_their_place_and_left_out() -> None:
    """One bad element does not cost the others."""
    table, problems = a_table({"list": ["a", 2, "c", None]})

    assert table.strings("list") == ("a", "c")
    assert problems.texts == [
        "list[1]: expected a string, found a whole number",
        "list[3]: expected a string, found nothing",
    ]


def test_a_list_of_tables_is_read_with_paths() -> None:
    """Mistakes inside a list of tables carry the place in the list."""
    table, problems = a_table({"services": [{"name": "a"}, {"name": 2}, "b"]})

    names = [each.string("name", "-") for each in table.tables("services")]

    assert names == ["a", "-", "-"]
    assert problems.texts == [
        "services[2]: expected a table, found a string",
        "services[1].name: expected a string, found a whole number",
    ]


def test_unknown_keys_are_noted_with_the_key_they_resemble() -> None:
    """A key that nothing asked for is a mistake where its reader says so."""
    table, problems = a_table({"image": "a", "imagge": "b", "zzz": 1})
    table.string("image", "")

    table.note_unknown_keys()

    assert problems.texts == [
        "imagge: unknown key; did you mean image?",
        "zzz: unknown key",
    ]


def test_every_reader_makes_its_key_known() -> None:
    """A key that was read, by whichever reader, is not unknown; nor is an absent one."""
    values = {"a": "", "b": 1, "c": True, "d": [], "e": {}, "f": [], "g": "x"}
    table, problems = a_table(values)
    table.string("a")
    table.integer("b")
    table.boolean("c")
    table.strings("d")
    table.table("e")
    table.tables("f")
    table.choice("g", ("x",))
    table.strings("absent")

    table.note_unknown_keys()

    assert not problems


def test_a_document_that_is_no_table_is_noted() -> None:
    """A payload that is a list or a number is named as a whole, and reads as empty."""
    table, problems = a_table([1])

    assert table.string("name", "d") == "d"
    assert problems.texts == ["the document: expected a table, found a list"]


def test_a_mistake_is_noted_once() -> None:
    """A table that is looked at twice does not double its mistakes."""
    table, problems = a_table({"dind": 3})

    table.table("dind")
    table.table("dind")

    assert problems.texts == ["dind: expected a table, found a whole number"]


def test_an_odd_key_is_quoted_in_its_path() -> None:
    """A key with a dot in it does not look like two."""
    table, problems = a_table({"a.b": 1, "": 2})

    table.note_unknown_keys()

    assert problems.texts == ['"a.b": unknown key', '"": unknown key']


@pytest.mark.parametrize(
    ("word", "expected"), [("imag", "image"), ("IMAGE", ""), ("allowed_image", "allowed_images")]
)
def test_closest_finds_the_word_that_was_meant(word: str, expected: str) -> None:
    """The suggestion is the nearest known word, or none."""
    assert closest(word, ["image", "allowed_images", "dns"]) == expected


def test_a_key_that_was_asked_for_is_known() -> None:
    """A reader may ask whether a key is there before it reads it, and the key is then no mistake."""
    problems = Problems()
    table = Table({"a": 1, "c": None}, problems)

    assert [table.has(key) for key in ("a", "b", "c")] == [True, False, False]
    table.note_unknown_keys()
    assert problems.texts == []

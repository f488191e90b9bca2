"""One more runner in config.toml, as text: nothing else changes, whatever an administrator wrote."""

import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.bounds import InvalidToml
from executor.commands.register.config_text import Unchangeable, global_of, runners_of, with_runner
from tests import toml

SECTION = """\
[[runners]]
  name = "new"
  token = "glrt-0123456789abcdefghij"
  [runners.custom]
    run_exec = "/opt/run"
"""
NEW = tomllib.loads(SECTION)["runners"][0]

# As gitlab-runner's package and its `register` leave it, with an administrator's remarks.
FILE = """\
# Ours. Ask platform@example.com before you change it.
concurrent = 1  # small host
check_interval = 0
shutdown_timeout = 0

[session_server]
  session_timeout = 1800

# The old one.
[[runners]]
  name = "old"   # do not touch
  url = "https://gitlab.example.com"
  token = "glrt-abcdefghijklmnopqrst"
  executor = "docker"
  [runners.docker]
    image = "alpine"
    volumes = ["/cache",
      "/certs"]   # both
"""


def test_the_section_is_the_last_one_and_nothing_else_changes() -> None:
    """What was there is there, byte by byte."""
    changed = with_runner(FILE, SECTION, {})

    assert changed == f"{FILE}\n{SECTION}"


def test_keys_above_the_runners_change_in_their_lines() -> None:
    """Their remarks stay, and a key that is not there comes behind the others."""
    settings: dict[str, int | str] = {
        "concurrent": 8,
        "shutdown_timeout": 120,
        "listen_address": "127.0.0.1:9252",
    }

    changed = with_runner(FILE, SECTION, settings)

    before = FILE.splitlines()
    expected = list(before)
    expected[1] = "concurrent = 8  # small host"
    expected[3] = "shutdown_timeout = 120"
    expected.insert(4, 'listen_address = "127.0.0.1:9252"')
    assert changed.splitlines()[: len(expected)] == expected


def test_an_empty_file() -> None:
    """It gets the keys and the runner."""
    changed = with_runner("", SECTION, {"shutdown_timeout": 120, "concurrent": 2})

    assert tomllib.loads(changed) == {"shutdown_timeout": 120, "concurrent": 2, "runners": [NEW]}


@pytest.mark.parametrize(
    "text",
    [
        FILE.rstrip("\n"),
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\r\n").rstrip(),
        "# only a remark",
        "\n\n\n",
        "Concurrent = 3\n",
        "concurrent=3#x\n[session_server]\n",
        "concurrent = 0x3\n",
        "concurrent = 1_000\n",
        '"concurrent" = 3\n',
        'x = """\n[[runners]]\nconcurrent = 9\n"""\nconcurrent = 3\n',
        "a = [\n  1,\n  2,\n]\n[b]\n",
        "a = [\n[1],\n]\n",
        "[b]\nconcurrent = 9\n",
        "log_level = 'a # \"b\"'  # c\n\n# d\n[[runners]]\n",
        "[[runners]]\n[[runners]]\n[runners.a.b]\nc = {d = [1]}\n",
    ],
)
def test_every_way_to_write_it_keeps_its_meaning(text: str) -> None:
    """Either all of it means what it did, with what is new, or it is not changed at all."""
    before = tomllib.loads(text)
    key = next((each for each in before if each.lower() == "concurrent"), "concurrent")
    settings = {} if text.startswith('"') else {"concurrent": 7}

    changed = with_runner(text, SECTION, settings)

    runners = [*before.get("runners", []), NEW]
    expected = {**before, "runners": runners}
    assert tomllib.loads(changed) == ({**expected, key: 7} if settings else expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('runners = [{name = "a"}]\n', "another way than as"),
        ("[runners]\n", "not a list of tables"),
        ("runners = 3\n", "not a list of tables"),
        ("runners = [1]\n", "not a list of tables"),
        ("[[Runners]]\n", "spells `runners` as 'Runners'"),
        ("[[runners]]\n[[RUNNERS]]\n", "spells `runners` as 'runners' and 'RUNNERS'"),
        ("runners = [  # none\n]\n", "its empty `runners`"),
        ("concurrent = [\n1]\n", "`concurrent` is written in a way"),
        ('"concurrent" = 3\n', "`concurrent` is written in a way"),
        ('concurrent = """3"""\n', "`concurrent` is written in a way"),
    ],
)
def test_what_cannot_be_changed_is_refused(text: str, words: str) -> None:
    """Nothing is guessed: the sentence says what stands in the way."""
    with pytest.raises(Unchangeable, match=words):
        with_runner(text, SECTION, {"concurrent": 7})


def test_what_is_no_toml_is_refused() -> None:
    """A file that gitlab-runner cannot read is not made worse."""
    with pytest.raises(InvalidToml):
        with_runner("concurrent = \n", SECTION, {})


def test_keys_are_read_as_gitlab_runner_does() -> None:
    """It knows no case, in keys above the runners and in theirs."""
    table = {"Concurrent": 3, "runners": [{"Name": "a", "URL": "b"}]}

    assert global_of(table, "concurrent") == 3
    assert global_of(table, "check_interval") is None
    assert runners_of(table) == [{"name": "a", "url": "b"}]


WORDS = st.text(string.ascii_lowercase + "_", min_size=1, max_size=6).map(lambda each: f"k{each}")
VALUES = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF, exclude_characters="\x7f")),
    st.lists(st.text("ab[]#=\"'\\ ", max_size=6), max_size=3),
)
REMARKS = st.text("ab[]#=\"' concurrent", max_size=12).map(lambda each: f"# {each}")
TABLES = st.dictionaries(WORDS, VALUES, max_size=4)


@settings(deadline=None)
@given(
    above=TABLES,
    has_concurrent=st.booleans(),
    runners=st.lists(TABLES, max_size=3),
    other=TABLES,
    remarks=st.lists(REMARKS, max_size=6),
    places=st.lists(st.integers(0, 40), min_size=6, max_size=6),
    ending=st.sampled_from(["\n", "\r\n"]),
    changes=st.dictionaries(
        st.sampled_from(["concurrent", "shutdown_timeout"]), st.integers(1, 99)
    ),
)  # fmt: skip
def test_nothing_is_lost(  # noqa: PLR0917
    above: dict[str, object],
    has_concurrent: bool,  # noqa: FBT001
    runners: list[dict[str, object]],
    other: dict[str, object],
    remarks: list[str],
    places: list[int],
    ending: str,
    changes: dict[str, int | str],
) -> None:
    """Each line of the file is there in its order, but for values that were to change."""
    document = {**above, **({"concurrent": 3} if has_concurrent else {})}
    text = toml.dumps({**document, "server": other, "runners": runners})
    lines = text.split("\n")
    for remark, place in zip(remarks, places, strict=False):
        lines.insert(min(place, len(lines)), remark)
    text = ending.join(lines)
    before = tomllib.loads(text)

    changed = with_runner(text, SECTION, changes)

    assert tomllib.loads(changed) == {
        **before,
        **changes,
        "runners": [*before.get("runners", []), NEW],
    }
    kept = [each for each in lines if not each.startswith(("concurrent =", "runners = []"))]
    rest = iter(changed.split(ending))
    assert all(each in rest for each in kept)

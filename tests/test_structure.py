"""The code keeps its shape; and each check of that finds the fault that it is for."""

from pathlib import Path

import executor
from tests import structure
from tests.conftest import LONG

PACKAGE = Path(executor.__file__).parent
TESTS = Path(__file__).parent

# Tests that show behaviour of the whole, through the hooks, gitlab-runner, or `local`; and those of the
# benchmarks and of packaging, which are no part of the package.
BEHAVIOUR = ("stages/*", "gitlab", "local/*", "rig", "load", "benchmarks", "packages")

# Unit tests that stand beside no module, and why.
LONE_TESTS = {
    "commands/migrate/test_shapes.py": "all that the command says of whole runners",
    "shell/test_layers.py": "a program that runs where no Python is",
    "test_container_image.py": "deploy/container, which is no module",
    "test_clocks.py": "who reads the clock: of the package as a whole",
    "test_hooks.py": "the executables in hooks/, which are no modules",
    "test_imports.py": "what a process has loaded: of the package as a whole",
    "test_monitoring.py": "deploy/grafana and deploy/prometheus, which are no modules",
    "test_parity_page.py": "a page of docs/",
    "test_reliability_page.py": "a page of docs/",
    "test_troubleshooting_page.py": "a page of docs/",
    "test_structure.py": "the package and the tests as a whole",
    "test_words.py": "what people read of the package, its pages and its shell programs",
}


# Modules without a unit test beside them, and what shows that they work.
UNTESTED = {
    **dict.fromkeys(
        ("local/command.py", "local/schedule.py"),
        "tests/local runs the command: the module joins the others together",
    ),
    **dict.fromkeys(
        ("local/runner/execution.py", "local/runner/job.py"),
        "tests/local runs jobs: which hook is called when, with what, and how that ends the job",
    ),
}


def planted(directory: Path, files: dict[str, str]) -> Path:
    """Write a package, or tests, with a fault in it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


# --- sizes ---------------------------------------------------------------------------------------


def test_no_module_is_too_long() -> None:
    """A module of the package has at most 250 lines."""
    assert structure.long_modules(PACKAGE) == []


def test_a_long_module_is_found(tmp_path: Path) -> None:
    """A module with one line more than allowed is named with its lines."""
    package = planted(tmp_path, {"a/fits.py": "x = 1\n" * 250, "a/long.py": "x = 1\n" * 251})

    assert structure.long_modules(package) == ["a/long.py: 251"]


def test_no_function_is_too_long() -> None:
    """A function or method of the package has at most 60 lines."""
    assert structure.long_functions(PACKAGE) == []


def test_a_long_function_is_found(tmp_path: Path) -> None:
    """A method with one line more than allowed is named with its lines."""
    fits = "def fits():\n" + "    x = 1\n" * 59
    long = "class A:\n    async def long(self):\n" + "        x = 1\n" * 60
    package = planted(tmp_path, {"a.py": fits + long})

    assert structure.long_functions(package) == ["a.py::long: 61"]


# --- rooms ---------------------------------------------------------------------------------------


def test_the_rooms_are_few() -> None:
    """The package has at most 30 rooms, and all that is known of are counted."""
    graph = structure.rooms(PACKAGE)

    assert len(graph) <= structure.MOST_ROOMS
    assert {"__main__", "cli", "stages", "plan", "errors"} <= set(graph)


def test_the_rooms_have_few_floors_and_no_circle() -> None:
    """The longest path through the rooms that import each other has at most 9 of them."""
    graph = structure.rooms(PACKAGE)

    assert structure.circles(graph) == []
    assert len(structure.tallest(graph)) <= structure.MOST_FLOORS


def test_imports_count_wherever_they_stand(tmp_path: Path) -> None:
    """An import inside a function counts, one for the type checker does not."""
    package = planted(
        tmp_path / "house",
        {
            "__init__.py": "from house import low\n",
            "top.py": "import house.middle.door\nimport os\n",
            "middle/__init__.py": "",
            "middle/door.py": (
                "from typing import TYPE_CHECKING\n"
                "from house.middle import window\n"
                "if TYPE_CHECKING:\n    from house.types import A\n"
                "else:\n    from house import low\n"
                "def enter():\n    if enter:\n        from house.late.night import light\n"
            ),
            "middle/window.py": "from middle import other\n",
            "late/night.py": "",
            "low.py": "",
            "types.py": "",
        },
    )

    assert structure.rooms(package) == {
        "top": {"middle"},
        "middle": {"low", "late"},
        "late": set(),
        "low": set(),
        "types": set(),
    }


def test_a_circle_is_found() -> None:
    """Rooms that reach themselves are named, rooms beside them are not."""
    graph = {"top": {"a"}, "a": {"b", "low"}, "b": {"c"}, "c": {"a"}, "low": set[str]()}

    assert structure.circles(graph) == ["a", "b", "c"]


def test_the_longest_path_is_found() -> None:
    """The floors are those of the longest way down, whichever the shortest is."""
    graph = {"top": {"low", "a"}, "a": {"b"}, "b": {"low"}, "low": set[str](), "alone": set[str]()}

    assert structure.tallest(graph) == ["top", "a", "b", "low"]


# --- tests beside their sources ------------------------------------------------------------------


def test_only_lines_of_code_are_counted(tmp_path: Path) -> None:
    """A statement of two lines counts twice; blank lines, comments and docstrings do not count."""
    path = tmp_path / "a.py"
    path.write_text('"""A\nmodule."""\n\n# why\nA = (\n    1)  # one\n"""About A."""\n')

    assert structure.code_lines(path) == 2


def test_each_unit_test_stands_beside_its_module() -> None:
    """The tree of unit tests is the package's, but for the exceptions that are named above."""
    lone = structure.lone_tests(PACKAGE, TESTS, BEHAVIOUR)

    assert sorted(lone) == sorted(LONE_TESTS)


def test_each_module_has_its_unit_test() -> None:
    """Every module that has functions has a test beside it, but for the exceptions named above."""
    assert structure.untested(PACKAGE, TESTS) == sorted(UNTESTED)


HOUSE = {
    "executor/__init__.py": "def version(): ...\n",
    "executor/loose.py": "def a(): ...\n",
    "executor/room/__init__.py": "from executor.room import door\n",
    "executor/room/door.py": "def a(): ...\n",
    "executor/room/words.py": "A = 1\nclass Words:\n    a: int = A\n",
    "executor/stages/prepare/__init__.py": "def main(): ...\n",
    "executor/stages/prepare/parts.py": "class Part:\n    def a(self): ...\n",
}
MIRROR = {
    "tests/test_loose.py": "",
    "tests/room/test_door.py": "",
    "tests/stages/unit/prepare/test_prepare.py": "",
    "tests/stages/unit/prepare/test_parts.py": "",
    "tests/stages/test_behaviour.py": "",
    "tests/gitlab/deep/test_more.py": "",
}


def test_a_mirror_has_no_fault(tmp_path: Path) -> None:
    """Modules that only import or declare need no test, and behaviour has its own folders."""
    house = planted(tmp_path, HOUSE | MIRROR)
    package, tests = house / "executor", house / "tests"

    assert structure.lone_tests(package, tests, BEHAVIOUR) == []
    assert structure.untested(package, tests) == []


def test_a_lone_test_is_found(tmp_path: Path) -> None:
    """Unit tests that stand elsewhere, or whose module is gone, are named."""
    wrong = {
        "tests/test_door.py": "",
        "tests/room/test_gone.py": "",
        "tests/stages/unit/test_parts.py": "",
    }
    house = planted(tmp_path, HOUSE | MIRROR | wrong)

    lone = structure.lone_tests(house / "executor", house / "tests", BEHAVIOUR)

    assert lone == sorted(each.removeprefix("tests/") for each in wrong)


def test_an_untested_module_is_found(tmp_path: Path) -> None:
    """A module with code that has no test beside it is named."""
    less = {name: text for name, text in MIRROR.items() if "door" not in name}
    house = planted(tmp_path, HOUSE | less | {"executor/stages/run.py": "def main(): ...\n"})

    assert structure.untested(house / "executor", house / "tests") == [
        "room/door.py",
        "stages/run.py",
    ]


# --- docstrings of tests -------------------------------------------------------------------------


def test_each_test_says_its_behaviour() -> None:
    """The docstring of a test has at least four words and ends with a full stop."""
    assert structure.poor_docstrings(TESTS) == []


def test_a_poor_docstring_is_found(tmp_path: Path) -> None:
    """A test without a docstring, with three words or without a full stop is named."""
    tests = planted(
        tmp_path,
        {
            "a/test_a.py": (
                'def test_good():\n    """The test has words."""\n'
                'def helper():\n    """Of no concern."""\n'
                "def test_none(): ...\n"
                'async def test_few():\n    """Three - words only."""\n'
                'class TestMore:\n    def test_open(self):\n        """The sentence never ends"""\n'
            )
        },
    )

    assert structure.poor_docstrings(tests) == [
        "a/test_a.py::test_none: ",
        "a/test_a.py::test_few: Three - words only.",
        "a/test_a.py::test_open: The sentence never ends",
    ]


def test_the_files_that_run_first_are_there() -> None:
    """A renamed one would run last."""
    assert [each for each in LONG if not (TESTS / each).is_file()] == []

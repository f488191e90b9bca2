"""The shape of the code as data: sizes, rooms, which test stands beside which source.

Each function reads the files below a directory, so that a test can show it one with a fault in it.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

LONGEST_MODULE = 250
LONGEST_FUNCTION = 60
MOST_LINES_FOR_RUN = 1361
MOST_ROOMS = 31
MOST_FLOORS = 9
FEWEST_WORDS = 4

# Folders of the package whose unit tests stand beside tests of behaviour, in a folder `unit`.
WITH_BEHAVIOUR = ("stages", "local")

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]


def modules(package: Path) -> list[Path]:
    """Return every module below a directory, in order."""
    return sorted(package.rglob("*.py"))


def long_modules(package: Path) -> list[str]:
    """Return the modules that have too many lines, with the number."""
    counted = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package)
    }
    return [
        f"{path.relative_to(package)}: {lines}"
        for path, lines in counted.items()
        if lines > LONGEST_MODULE
    ]


def code_lines(path: Path) -> int:
    """Return how many lines of a module are code: no blank lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    texts = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if isinstance(node.value.value, str)
    }
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - texts)


def long_functions(package: Path) -> list[str]:
    """Return the functions that have too many lines, with the number."""
    found = []
    for path in modules(package):
        for each in _functions(path):
            lines = (each.end_lineno or each.lineno) - each.lineno + 1
            if lines > LONGEST_FUNCTION:
                found.append(f"{path.relative_to(package)}::{each.name}: {lines}")
    return found


# --- rooms ---------------------------------------------------------------------------------------


def rooms(package: Path) -> dict[str, set[str]]:
    """Return for each room of a package, a sub-package or a loose module, the rooms it imports.

    Imports count wherever they stand, but for those that only a type checker follows.
    """
    graph: dict[str, set[str]] = {
        path.stem if path.is_file() else path.name: set()
        for path in package.iterdir()
        if path.suffix == ".py" or any(path.glob("*.py"))
    }
    graph.pop("__init__", None)
    for path in modules(package):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if room != "__init__":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            graph[room] |= set(_rooms_imported(tree, package.name)) & (set(graph) - {room})
    return graph


def _rooms_imported(tree: ast.AST, package: str) -> Iterator[str]:
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING"):
        for each in tree.orelse:
            yield from _rooms_imported(each, package)
        return
    names: list[str] = []
    if isinstance(tree, ast.Import):
        names = [each.name for each in tree.names]
    elif isinstance(tree, ast.ImportFrom):
        names = [f"{tree.module}.{each.name}" for each in tree.names]
    yield from (name.split(".")[1] for name in names if name.startswith(f"{package}."))
    for child in ast.iter_child_nodes(tree):
        yield from _rooms_imported(child, package)


def circles(graph: Graph) -> list[str]:
    """Return the rooms that reach themselves."""
    return sorted(room for room in graph if room in _below(graph, room))


def _below(graph: Graph, room: str) -> set[str]:
    found: set[str] = set()
    ahead = [room]
    while ahead:
        for each in graph[ahead.pop()] - found:
            found.add(each)
            ahead.append(each)
    return found


def tallest(graph: Graph) -> list[str]:
    """Return the rooms of a longest path from the top down; the graph has no circle."""
    paths: dict[str, list[str]] = {}

    def path(room: str) -> list[str]:
        if room not in paths:
            below = [path(each) for each in sorted(graph[room])]
            paths[room] = [room, *max(below, key=len, default=[])]
        return paths[room]

    return max(map(path, graph), key=len)


# --- tests beside their sources ------------------------------------------------------------------


def expected_test(module: Path) -> Path:
    """Return where below the tests the test of a module, relative to the package, belongs."""
    *folders, name = module.with_suffix("").parts
    if name == "__init__":
        name = folders[-1]
    if folders and folders[0] in WITH_BEHAVIOUR:
        folders.insert(1, "unit")
    return Path(*folders, f"test_{name.strip('_')}.py")


def sources(package: Path) -> dict[Path, Path]:
    """Return by the place of its test each module of a package."""
    relative = (path.relative_to(package) for path in modules(package))
    return {expected_test(path): path for path in relative if path != Path("__init__.py")}


def lone_tests(package: Path, tests: Path, behaviour: tuple[str, ...]) -> list[str]:
    """Return the unit tests that stand beside no module.

    `behaviour` are the folders of tests, relative to `tests`, that show behaviour of the whole; of
    one that ends in a `*`, the files and no folders.
    """
    found = (path.relative_to(tests) for path in sorted(tests.rglob("test_*.py")))
    wanted = sources(package)
    return [
        path.as_posix()
        for path in found
        if path not in wanted and not any(_within(path, each) for each in behaviour)
    ]


def _within(path: Path, folder: str) -> bool:
    if folder.endswith("/*"):
        return path.parent == Path(folder).parent
    return Path(folder) in path.parents


def untested(package: Path, tests: Path) -> list[str]:
    """Return the modules that do something, so have functions, and have no test beside them."""
    return sorted(
        path.as_posix()
        for test, path in sources(package).items()
        if any(_functions(package / path)) and not (tests / test).is_file()
    )


# --- docstrings of tests -------------------------------------------------------------------------


def poor_docstrings(tests: Path) -> list[str]:
    """Return the tests whose docstring is no sentence, with the docstring."""
    found = []
    for path in sorted(tests.rglob("test_*.py")):
        for each in _functions(path):
            docstring = ast.get_docstring(each) or ""
            words = [word for word in docstring.split() if any(map(str.isalnum, word))]
            if each.name.startswith("test_") and (
                len(words) < FEWEST_WORDS or not docstring.endswith(".")
            ):
                found.append(f"{path.relative_to(tests)}::{each.name}: {docstring}")
    return found


def _functions(path: Path) -> Iterator[Function]:
    for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(each, Function):
            yield each

"""What people read of dind-executor, by where it stands, and the words that must not occur there."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("words.toml")

_COMMANDS = (
    "",
    "local",
    "install",
    "rollback",
    "uninstall",
    "register",
    "migrate",
    "reap",
    "plan",
    "replay",
    "doctor",
)
_PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "config.toml.example",
    "docs/**/*.md",
    "tests/rig/README.md",
    ".ci/*",
    "hooks/*",
    "deploy/**/*",
    "executor/shell/*.sh",
    "executor/commands/units/*.service",
    "executor/commands/units/*.timer",
    "executor/commands/units/*.conf",
)


def readable(package: Path) -> dict[str, str]:
    """Return each text of the package that may reach a person, by file and line.

    Docstrings are for those who read the code, and one word alone is a name.
    """
    return {
        f"{path.relative_to(package.parent)}:{line}": text
        for path in sorted(package.rglob("*.py"))
        for line, text in sorted(strings(path.read_text(encoding="utf-8")))
    }


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Return the string constants of a module with their lines; a formatted value is a `…`."""
    tree = ast.parse(source)
    inner = {
        id(part)
        for each in ast.walk(tree)
        if isinstance(each, ast.JoinedStr)
        for part in each.values
    }
    passed = inner | _docstrings(tree)
    for each in ast.walk(tree):
        if isinstance(each, ast.JoinedStr):
            yield each.lineno, "".join(_plain(part) for part in each.values)
        elif (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and id(each) not in passed
            and " " in each.value
        ):
            yield each.lineno, each.value


def pages(root: Path) -> dict[str, str]:
    """Return the files that are written for people, by their paths."""
    found = sorted({path for pattern in _PAGES for path in root.glob(pattern) if path.is_file()})
    return {str(path.relative_to(root)): _read(path) for path in found}


def helps() -> dict[str, str]:
    """Return what each command prints for `--help`, and the settings with their documentation."""
    calls = [[*each.split(), "--help"] for each in _COMMANDS] + [["settings"]]
    return {f"dind-executor {' '.join(each)}": _printed(each) for each in calls}


def forbidden_in(text: str) -> list[str]:
    """Return the forbidden words of a text, in its own spelling; code has no exemption."""
    words = tomllib.loads(LIST.read_text(encoding="utf-8"))
    text = " ".join(text.split())
    for phrase in words["allowed"]:
        text = re.sub(re.escape(phrase), "…", text, flags=re.IGNORECASE)
    return [
        found.group()
        for word in words["forbidden"]
        for found in re.finditer(rf"(?<![\w$-])(?:{word})(?![\w-])", text, re.IGNORECASE)
    ]


def faults(texts: dict[str, str]) -> list[str]:
    """Return each forbidden word with its place."""
    return [f"{place}: {word}" for place, text in texts.items() for word in forbidden_in(text)]


def _read(path: Path) -> str:
    """Return a page, or what a shell program of the package may print: its quoted sentences."""
    text = path.read_text(encoding="utf-8")
    if path.parent.name != "shell":
        return text
    code = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    quoted = re.findall(r"""\"[^"\n]*"|'[^'\n]*'""", code)
    return "\n".join(each for each in quoted if re.search(r"[a-z] [a-z]", each))


def _plain(part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value
    return "…"


def _docstrings(tree: ast.AST) -> set[int]:
    """Return the strings that stand as statements: docstrings, also those of variables."""
    return {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}


def _printed(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "executor", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout

"""The example of docs/migrating.md and the shapes: `venv/bin/python -m tests.migrating` writes both."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "migrating.md"
SHAPES = sorted((Path(__file__).parent / "data" / "migrate").glob("*.toml"))
_SAID = "# ===== what the command says\n"
_SECTION = "# ===== the runner's section in config.toml\n"
_BLOCK = re.compile(r"^```(?:toml|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown() -> list[str]:
    """Return what the page shows: a config.toml, what the command prints, what it says."""
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def printed(before: str) -> list[str]:
    """Return what the command prints for a config.toml, on stdout and on stderr."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".toml") as file:
        file.write(before)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "executor", "migrate", file.name],
            cwd=PAGE.parent.parent,
            check=True,
            capture_output=True,
            text=True,
        )
    return [f"{text.strip()}\n" for text in (done.stdout, done.stderr)]


def expected_path(shape: Path) -> Path:
    """Return where that is what the command should print for a shape."""
    return shape.with_suffix(".txt")


def said_of(shape: Path) -> str:
    """Return all that the command prints for a shape of config.toml."""
    printed_out, complained = printed(shape.read_text(encoding="utf-8"))
    return f"{printed_out}{_SAID}{complained}"


def settings_of(said: str) -> str:
    """Return the settings file in what the command prints for one runner."""
    return said.partition(_SECTION)[0].partition("\n")[2]


def section_of(said: str) -> str:
    """Return the runner's section of config.toml in what the command prints for one runner."""
    return said.partition(_SECTION)[2].partition(_SAID)[0]


def sentences_of(said: str) -> list[str]:
    """Return the sentences in what the command prints."""
    return said.partition(_SAID)[2].splitlines()


def main() -> None:
    """Write the page and what is expected of the shapes."""
    for shape in SHAPES:
        expected_path(shape).write_text(said_of(shape), encoding="utf-8")
    parts = [shown()[0], *printed(shown()[0])]
    text = _BLOCK.sub(
        lambda found: found[0][: found.start(1) - found.start()] + parts.pop(0) + "```",
        PAGE.read_text(encoding="utf-8"),
    )
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

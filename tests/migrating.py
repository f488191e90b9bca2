"""The example of docs/migrating.md: `venv/bin/python -m tests.migrating` writes it anew."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "migrating.md"
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


def main() -> None:
    """Write the page."""
    parts = [shown()[0], *printed(shown()[0])]
    text = _BLOCK.sub(
        lambda found: found[0][: found.start(1) - found.start()] + parts.pop(0) + "```",
        PAGE.read_text(encoding="utf-8"),
    )
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

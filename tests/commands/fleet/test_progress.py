"""How far it is, for people alone."""

import pytest

from executor.commands.fleet.options import read_options
from executor.commands.fleet.progress import progress, remark

ARGS = ["audit", "--url", "https://gitlab.example.com"]


@pytest.mark.parametrize("is_person", [True, False])
def test_who_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_person: bool
) -> None:
    """A terminal shows the number, and nothing of it at the end; a program reads objects alone."""
    options = read_options(ARGS, {})._replace(json=not is_person)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    show = progress(options)
    show(1, 2)
    show(2, 2)
    remark(options, "Waiting.")

    shown = "\r\x1b[KRead 1 of 2 runners\r\x1b[KWaiting.\n"
    assert capsys.readouterr().err == (shown if is_person else "")

"""The arguments as they are read and shown."""

import pytest

from executor.commands.fleet.arguments import WrongUse, parser


def test_help_names_the_actions(capsys: pytest.CaptureFixture[str]) -> None:
    """And the exit codes."""
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--help"])

    out = capsys.readouterr().out
    assert ended.value.code == 0
    words = [line.split()[0] for line in out.splitlines() if line.startswith("    ")]
    assert {"audit", "reconcile", "rotate", "stale", "drain", "undrain"} <= set(words)
    assert "124" in out


@pytest.mark.parametrize("action", ["audit", "reconcile", "rotate", "stale", "drain", "undrain"])
def test_each_action_has_help(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a percentage is explained, which argparse formats."""
    with pytest.raises(SystemExit):
        parser().parse_args([action, "--help"])

    out = capsys.readouterr().out
    assert ("--yes" in out) == (action != "audit")


def test_a_mistake_shows_no_token() -> None:
    """Somebody typed it where something else belongs."""
    with pytest.raises(WrongUse) as raised:
        parser().parse_args(["audit", "glpat-abcdefghij0123456789"])

    assert "abcdefghij" not in str(raised.value)

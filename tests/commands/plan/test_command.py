"""`dind-executor plan` as a person calls it."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from executor.commands.plan.command import SETTINGS, read_settings_file
from executor.errors import SettingsError
from executor.settings.file import Settings
from tests.builders import TOKEN, a_payload, a_service
from tests.commanding import call

if TYPE_CHECKING:
    import subprocess


def plan(directory: Path, *args: str, **payload: object) -> "subprocess.CompletedProcess[str]":
    """Call the command for a payload."""
    (directory / "response.json").write_text(json.dumps(a_payload(**payload)))
    settings = directory / "settings.toml"
    if not settings.exists():
        settings.write_text(f'[docker]\nhost = "unix://{directory}/none"\n')
    given = ("--settings", str(settings), str(directory / "response.json"))
    return call("plan", *given, *args, env={"PATH": os.environ["PATH"], "HOME": str(directory)})


def test_a_plan_without_an_engine(tmp_path: Path) -> None:
    """That nobody answered is stated, and so is what was assumed."""
    done = plan(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Container build\n" in done.stdout
    assert "The Docker Engine was not asked" in done.stdout
    assert "Nothing is known of docker:29-dind" in done.stdout
    assert TOKEN not in done.stdout


@pytest.mark.skipif(Path(SETTINGS).exists(), reason="this host has settings")
def test_a_plan_without_settings(tmp_path: Path) -> None:
    """That the defaults were taken is stated: a runner may name settings elsewhere."""
    stated = f"There is no {SETTINGS}"
    payload = tmp_path / "response.json"

    assert stated not in plan(tmp_path, "--offline").stdout
    assert stated in call("plan", "--offline", str(payload)).stdout


def test_json_and_facts(tmp_path: Path) -> None:
    """What it printed is what `--facts` takes, and the plan that rests on it is the same."""
    first = plan(tmp_path, "--json")
    (tmp_path / "facts.json").write_text(first.stdout)

    second = plan(tmp_path, "--json", "--brief", "--facts", str(tmp_path / "facts.json"))

    one, two = json.loads(first.stdout), json.loads(second.stdout)
    assert one["containers"].keys() == two["containers"].keys()
    assert one["facts"] == two["facts"]
    assert one["decided_by"]
    assert two["decided_by"] == {}


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_a_refused_job(tmp_path: Path, args: tuple[str, ...]) -> None:
    """The sentence is prepare's, with whose it is to correct, and the exit code is 1."""
    (tmp_path / "settings.toml").write_text('[docker]\nallowed_images = ["ruby:*"]\n')

    done = plan(tmp_path, "--offline", *args, image=a_service("alpine:3"))

    assert done.returncode == 1
    assert "job author" in done.stdout + done.stderr
    assert "alpine:3" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("response.json", "{", "is not JSON"),
        ("response.json", "[]", "a table"),
        ("settings.toml", "x = ", "is not TOML"),
        ("facts.json", "[", "is not JSON"),
        ("facts.json", '{"images": 1}', "must be objects"),
    ],
)
def test_wrong_files(tmp_path: Path, name: str, text: str, said: str) -> None:
    """The file is named, and the exit code is 2."""
    plan(tmp_path)
    (tmp_path / name).write_text(text)
    facts = ("--facts", str(tmp_path / "facts.json")) if name == "facts.json" else ()

    done = call(
        "plan",
        "--settings",
        str(tmp_path / "settings.toml"),
        *facts,
        str(tmp_path / "response.json"),
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_capture_and_a_bare_payload_say_different_things(tmp_path: Path) -> None:
    """A bare one has its variables expanded here, which is stated."""
    assert "expanded as gitlab-runner does it" in plan(tmp_path).stdout


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    """A file that is named must be there."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings_file(str(tmp_path / "none"))

    assert isinstance(read_settings_file(None)[1], Settings)

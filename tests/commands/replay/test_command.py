"""`dind-executor replay` as a person calls it; tests/local runs captured jobs again on the rig."""

import io
import json
from pathlib import Path

import pytest

from executor.commands.replay.command import Heard
from executor.commands.replay.job import project_of
from executor.runner.captures import MARK, VERSION
from tests.builders import a_payload
from tests.commanding import call

FAILURE = {"stage": "run", "sub_stage": "build_script", "script_exit_code": 1}


def capture(directory: Path, **changes: object) -> str:
    """Write a captured payload."""
    document = {
        MARK: VERSION, "payload": a_payload(), "values": {}, "failure": FAILURE, **changes
    }  # fmt: skip
    path = directory / "1-a.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        (json.dumps(a_payload()), "is no captured payload"),
        (
            json.dumps({MARK: VERSION, "payload": [], "values": {}, "failure": FAILURE}),
            "is no captured",
        ),
    ],
)
def test_what_is_no_capture(tmp_path: Path, text: str, said: str) -> None:
    """It is named, and nothing runs."""
    (tmp_path / "x").write_text(text)

    done = call("replay", str(tmp_path / "x"))

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--hooks", "{}/none", "--settings", "{}/s"), "has no hook"),
        (("--hooks", "{}/hooks", "--settings", "{}/s", "--auth-file", "{}/none"), "cannot be read"),
        (("--hooks", "{}/hooks", "--settings", "{}/s", "--sources", "{}"), "git work tree"),
    ],
)
def test_wrong_use(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    """The sentence says what is missing; what the capture says is told before."""
    (tmp_path / "hooks").mkdir()
    for stage in ("config", "prepare", "run", "cleanup"):
        (tmp_path / "hooks" / stage).touch()

    done = call("replay", capture(tmp_path), *(each.format(tmp_path) for each in args))

    assert done.returncode == 2
    assert "build_script ended with exit code 1" in done.stdout
    assert said in done.stderr


def test_what_is_shown_is_heard() -> None:
    """The output goes on, and is compared with what was said then."""
    heard = Heard(io.StringIO())
    heard.write("one\n")
    heard.write("two\n")
    heard.flush()

    assert heard.text == "one\ntwo\n"
    assert not heard.isatty()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("group/sub.group/a-project_1", "group/sub.group/a-project_1"),
        ("../../etc/cron.d", "local/replay"),
        ("/etc/cron.d", "local/replay"),
        ("a/.git/../b", "local/replay"),
        ("", "local/replay"),
        (None, "local/replay"),
    ],
)
def test_projects(path: str | None, found: str) -> None:
    """A path names directories of this host, so not every one is taken."""
    assert project_of({"job_info": {"project_full_path": path}}).path == found

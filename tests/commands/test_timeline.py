"""`dind-executor timeline`: one job of all that have left records on this host."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commanding import call
from tests.record.samples import a_job

if TYPE_CHECKING:
    import subprocess

HERE, ELSEWHERE = "https://gitlab.example.com", "https://gitlab.example.org"


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """Return the settings of a host on which the sample job has run."""
    leave(tmp_path, *a_job())
    path = tmp_path / "settings.toml"
    path.write_text(f'[sweep]\nstate_dir = "{tmp_path}"\n')
    return str(path)


def leave(directory: Path, *records: Mapping[str, object]) -> None:
    """Append records to a host's spool."""
    (directory / "spool").mkdir(exist_ok=True)
    with (directory / "spool" / "events.jsonl").open("a") as file:
        file.writelines(f"{json.dumps(each, separators=(',', ':'))}\n" for each in records)


def show(settings: str, *args: str) -> "subprocess.CompletedProcess[str]":
    """Call the command."""
    return call("timeline", "--settings", settings, *args)


def test_a_job_in_a_terminal(settings: str) -> None:
    """The text has a line for each call."""
    done = show(settings, "4711")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Job 4711 of project 42: failed (script), 6.0 s"
    assert {"config", "prepare", "get_sources", "cleanup"} <= {
        line.split()[0] for line in lines[2:]
    }


def test_a_job_for_a_browser(settings: str, tmp_path: Path) -> None:
    """The picture is written, and nothing is printed."""
    done = show(settings, "4711", "--svg", str(tmp_path / "job.svg"))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert ET.parse(tmp_path / "job.svg").getroot().tag.endswith("svg")


def test_jobs_of_two_gitlabs(settings: str, tmp_path: Path) -> None:
    """Each counts its own, and who asks has to say which one is meant."""
    leave(
        tmp_path,
        *(
            {**each, "key": "4711-another", "project": 9}
            for each in a_job()
            if "gitlab" not in each
        ),
        {**a_job()[0], "key": "4711-another", "project": 9, "gitlab": ELSEWHERE},
    )

    unclear = show(settings, "4711")
    one, another = (show(settings, "4711", "--url", each) for each in (HERE, f"{ELSEWHERE}/"))

    assert (unclear.returncode, unclear.stdout) == (2, "")
    assert f"several GitLabs: {HERE}, {ELSEWHERE}. Name one by --url." in unclear.stderr
    assert "of project 42" in one.stdout
    assert "of project 9" in another.stdout


@pytest.mark.parametrize("args", [("4712",), ("471",), ("4711", "--url", ELSEWHERE)])
def test_a_job_that_has_left_nothing(settings: str, args: tuple[str, ...]) -> None:
    """The sentence says what may be the reason."""
    done = show(settings, *args)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"there is no record of job {args[0]} on this host. Is `[log] records` on" in done.stderr


def test_a_host_that_has_no_records(tmp_path: Path) -> None:
    """Its settings lead nowhere, or want none."""
    nowhere, none = tmp_path / "nowhere.toml", tmp_path / "none.toml"
    nowhere.write_text(f'[sweep]\nstate_dir = "{tmp_path}/nowhere"\n')
    none.write_text("[log]\nrecords = false\n")

    first, second = show(str(nowhere), "4711"), show(str(none), "4711")

    assert first.returncode == 2
    assert f"{tmp_path}/nowhere/spool: No such file or directory" in first.stderr
    assert second.returncode == 2
    assert "`[log] records = false`" in second.stderr


def test_wrong_use(settings: str, tmp_path: Path) -> None:
    """Each has a sentence."""
    (tmp_path / "wrong.toml").write_text("x = 1\n")

    assert show(settings, "first").returncode == 2
    assert "has a mistake" in show(str(tmp_path / "wrong.toml"), "1").stderr
    done = show(settings, "4711", "--svg", str(tmp_path))
    assert (done.returncode, done.stderr) == (
        2,
        f"dind-executor timeline: {tmp_path}: Is a directory\n",
    )

"""Draining, as it is told: nothing without --yes, and what is left."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from executor.commands.fleet.draining import drain
from executor.commands.fleet.options import Options, read_options
from executor.commands.fleet.pausing import Pausing
from executor.commands.gitlab.client import Client
from tests.commands.fleet.stubs import Systemd
from tests.gitlab.samples import payload
from tests.gitlab.server import GitLab


def options(tmp_path: Path, *args: str) -> Options:
    """Return options with a log of their own."""
    return read_options(
        [*args, "--audit-log", str(tmp_path / "log")], {"CI_SERVER_URL": "http://g"}
    )


def told(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, list[str]]]:
    """Return the states and the jobs that were told."""
    lines = map(json.loads, capfd.readouterr().out.splitlines())
    return [(each["state"], each["jobs"]) for each in lines]


def test_a_runner(gitlab: GitLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Shown, paused and waited for, resumed."""
    row = gitlab.registry.add({})
    token = gitlab.registry.add_user({"read_api", "manage_runner"})
    pausing = Pausing(Client(gitlab.url, token), row.id)
    job = gitlab.enqueue(payload(gitlab.url))
    gitlab.take(job, "s_1")
    runner = ("--runner", str(row.id))

    paused = []

    assert drain(options(tmp_path, "drain", *runner), pausing) == 0
    paused.append(row.paused)
    assert not (tmp_path / "log").exists()
    assert (
        drain(options(tmp_path, "drain", *runner, "--yes", "--wait", "--timeout", "0"), pausing)
        == 124
    )
    paused.append(row.paused)
    assert drain(options(tmp_path, "undrain", *runner, "--yes"), pausing) == 0
    paused.append(row.paused)

    assert paused == [False, True, False]

    jobs = [str(job.id)]
    assert told(capfd) == [
        ("would", jobs),
        ("paused", []),
        ("left", jobs),
        ("timeout", []),
        ("resumed", []),
    ]


def test_this_host(systemd: Systemd, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Shown, told to end, waited for, started again."""
    limit = ("--yes", "--wait", "--timeout", "0")

    assert drain(options(tmp_path, "drain"), None, systemd.root) == 0
    assert systemd.state == "active"
    assert drain(options(tmp_path, "drain", *limit), None, systemd.root) == 124
    assert drain(options(tmp_path, "undrain", *limit), None, systemd.root) == 124
    systemd.become("inactive")
    assert drain(options(tmp_path, "drain", *limit), None, systemd.root) == 0
    assert drain(options(tmp_path, "undrain"), None, systemd.root) == 0
    assert drain(options(tmp_path, "undrain", *limit), None, systemd.root) == 0
    assert systemd.state == "active"

    states = [state for state, _ in told(capfd)]
    assert states == [
        *("would", "draining", "left", "timeout", "left", "timeout"),
        *("draining", "drained", "would", "resumed"),
    ]


def test_doctor_has_the_last_word(
    systemd: Systemd, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A host that takes jobs again and fails them is told; nothing is asked where nothing is done."""
    assert drain(options(tmp_path, "drain", "--yes"), None, systemd.root) == 0
    systemd.become("inactive")
    undrain = options(tmp_path, "undrain", "--yes")

    assert drain(undrain, None, systemd.root, lambda: ["storage: full"]) == 1
    assert systemd.state == "active"
    assert drain(undrain, None, systemd.root, lambda: ["storage: full"]) == 0

    assert told(capfd)[1:] == [("resumed", []), ("unfit", []), ("resumed", [])]


_CALLED = """
import sys
from pathlib import Path
from executor.commands.fleet.draining import drain
from executor.commands.fleet.options import read_options
sys.exit(drain(read_options(sys.argv[2:], {}), None, Path(sys.argv[1])))
"""


@pytest.mark.parametrize("moment", ["before", "behind"])
@pytest.mark.parametrize("verb", ["daemon-reload", "stop", "start"])
def test_a_host_whose_command_is_killed(
    systemd: Systemd, tmp_path: Path, capfd: pytest.CaptureFixture[str], verb: str, moment: str
) -> None:
    """Whenever that was, the same command again brings the host to where it was to be, and notes it."""
    log = tmp_path / "log"
    action = "undrain" if verb == "start" else "drain"
    if action == "undrain":
        assert drain(options(tmp_path, "drain", "--yes"), None, systemd.root) == 0
        systemd.become("inactive")
        log.unlink()
    (systemd.directory / "calls").write_text("")
    args = [action, "--yes", "--audit-log", str(log)]
    systemd.kill(**{moment: verb})
    killed = subprocess.run(
        [sys.executable, "-c", _CALLED, str(systemd.root), *args], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    systemd.kill()

    assert drain(options(tmp_path, action, "--yes"), None, systemd.root) == 0

    is_made = (verb, moment) == ("stop", "behind")
    assert systemd.drop_in.exists() is (action == "drain")
    assert systemd.state == ("active" if action == "undrain" else "deactivating")
    states = [json.loads(each)["state"] for each in log.read_text().splitlines()]
    assert states == (["begun", "done"] if is_made else ["begun", "failed", "begun", "done"])
    # To start what runs is no change; to stop twice would be the second stop of another start.
    assert sum(each.startswith("stop") for each in systemd.calls()) == (action == "drain")
    assert told(capfd)[-1][0] == ("resumed" if action == "undrain" else "draining")

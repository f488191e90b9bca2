"""The systemd units: what they say, and that nobody's changes are lost."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from executor.commands import units
from executor.engine.docker import Engine
from tests.engine.stub import StubEngine, http

COMMAND = Path("/opt/dind-executor/venv/bin/dind-executor")


def read(root: Path, name: str) -> configparser.ConfigParser:
    """Return a unit as sections of keys, in upper and lower case as written."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path_of(root, name).read_text())
    return parser


def path_of(root: Path, name: str) -> Path:
    return root / "etc/systemd/system" / name


# --- what they say -------------------------------------------------------------------------------


def test_the_timer_calls_reap_every_few_minutes(tmp_path: Path) -> None:
    """The service removes without asking, and the timer starts again after each end of it."""
    assert units.write_units(tmp_path, COMMAND, None) == []

    service, timer = read(tmp_path, units.SERVICE)["Service"], read(tmp_path, units.TIMER)
    assert service["ExecStart"] == f"{COMMAND} reap --yes"
    assert (service["Type"], service["SuccessExitStatus"]) == ("oneshot", "75")
    assert "OnUnitInactiveSec" in timer["Timer"]
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_a_timer_calls_prune_every_day(tmp_path: Path) -> None:
    """Also after a night in which the host was off; what it removes are the settings' budgets."""
    units.write_units(tmp_path, COMMAND, None)

    service, timer = read(tmp_path, units.PRUNE_SERVICE), read(tmp_path, units.PRUNE_TIMER)
    assert service["Service"]["ExecStart"] == f"{COMMAND} prune --yes"
    assert service["Service"]["SuccessExitStatus"] == "75"
    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("daily", "true")
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_a_timer_calls_doctor_every_hour(tmp_path: Path) -> None:
    """What it finds is left for the page and the metrics; the service fails if the host is not fit."""
    units.write_units(tmp_path, COMMAND, None)

    service, timer = read(tmp_path, units.DOCTOR_SERVICE), read(tmp_path, units.DOCTOR_TIMER)
    assert service["Service"]["ExecStart"] == f"{COMMAND} doctor --record --only-problems"
    assert "SuccessExitStatus" not in service["Service"]
    assert timer["Timer"]["OnUnitInactiveSec"] == "1h"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_a_service_counts(tmp_path: Path) -> None:
    """It starts again unless the settings are wrong, and may do little besides."""
    units.write_units(tmp_path, COMMAND, None)

    unit = read(tmp_path, units.METRICS_SERVICE)
    assert unit["Service"]["ExecStart"] == f"{COMMAND} metrics"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Service"]["RestartPreventExitStatus"] == "2"
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert "CAP_SYS_ADMIN" not in unit["Service"]["CapabilityBoundingSet"]
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_drop_in_makes_a_stop_graceful(tmp_path: Path) -> None:
    """gitlab-runner alone gets SIGQUIT, and whether it starts again is left as it is."""
    units.write_units(tmp_path, COMMAND, None)

    service = read(tmp_path, units.DROP_IN)["Service"]
    assert (service["KillMode"], service["KillSignal"]) == ("mixed", "SIGQUIT")
    assert set(service) == {"KillMode", "KillSignal", "TimeoutStopSec"}


@pytest.mark.parametrize(
    ("found", "seconds", "words"),
    [
        (None, 7200 + 1200, "no job was found, and 2h0m0s is usual"),
        (600, 7200 + 1200, "the longest that was found is 10m0s"),
        (4 * 3600, 4 * 3600 + 1200, "A job may take 4h0m0s (the longest that was found"),
    ],
)
def test_a_stop_waits_for_the_longest_job(
    tmp_path: Path, found: int | None, seconds: int, words: str
) -> None:
    """The time fits the longest job with what comes after it, and a comment tells why."""
    units.write_units(tmp_path, COMMAND, found)

    assert read(tmp_path, units.DROP_IN)["Service"]["TimeoutStopSec"] == str(seconds)
    assert words in path_of(tmp_path, units.DROP_IN).read_text()


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        ([], None),
        (["1h0m0s", "2h30m0s", "10m0s"], 9000),
        (["", "nonsense", "-1h0m0s", "1h0m"], 3600),
        (["nonsense"], None),
        (["9999h0m0s"], 30 * 24 * 3600),
        (["99999999999999h"], None),
    ],
)
def test_the_longest_job_that_runs(
    stub: StubEngine, timeouts: list[str], seconds: int | None
) -> None:
    """Labels tell the timeouts; what is none counts for nothing, and no number is without bounds."""
    label = "com.gitlab.gitlab-runner.job.timeout"
    running = [{"Labels": {label: each}} for each in timeouts]
    stub.on("GET", "/containers/json", http(200, [{"Labels": None}, {}, *running]))

    assert units.longest_job(stub.engine()) == seconds


def test_an_engine_that_does_not_answer_has_no_jobs(tmp_path: Path) -> None:
    """The units are written without it."""
    engine = Engine.at(f"unix://{tmp_path}/none", "", tls_verify=False)

    assert units.longest_job(engine) is None


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """systemd finds no fault in the timer, the service and gitlab-runner's service with its drop-in."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("there is no systemd-analyze")
    there = shutil.which("true")
    assert there
    units.write_units(tmp_path, Path(there), None)
    runner = path_of(tmp_path, "gitlab-runner.service")
    runner.write_text(f"[Service]\nExecStart={there}\nRestart=always\n")
    names = [path_of(tmp_path, each) for each in (*units.TIMERS, units.SERVICE)]
    services = (units.PRUNE_SERVICE, units.DOCTOR_SERVICE, units.METRICS_SERVICE)
    names += [path_of(tmp_path, each) for each in services]

    done = subprocess.run(
        [verify, "verify", "--man=no", *names, runner],
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{runner.parent}:"},
        capture_output=True,
        text=True,
        check=False,
    )

    mentioned = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert mentioned == []
    assert done.returncode == 0, done.stderr


# --- what somebody has changed -------------------------------------------------------------------


def test_a_new_version_replaces_what_nobody_has_changed(tmp_path: Path) -> None:
    """Files that an earlier install wrote are written again, without a word."""
    units.write_units(tmp_path, COMMAND, None)

    assert units.write_units(tmp_path, Path("/elsewhere"), 10_000) == []

    assert read(tmp_path, units.SERVICE)["Service"]["ExecStart"] == "/elsewhere reap --yes"
    assert read(tmp_path, units.DROP_IN)["Service"]["TimeoutStopSec"] == "11200"


@pytest.mark.parametrize("name", [units.SERVICE, *units.TIMERS, units.DROP_IN])
@pytest.mark.parametrize("change", ["append", "replace", "empty", "binary"])
def test_what_the_administrator_has_changed_stays(tmp_path: Path, name: str, change: str) -> None:
    """A changed file keeps its content; the new one lies beside it, and a sentence says so."""
    units.write_units(tmp_path, COMMAND, None)
    path = path_of(tmp_path, name)
    written = path.read_bytes()
    changed = {
        "append": written + b"# mine\n",
        "replace": b"[Unit]\n",
        "empty": b"",
        "binary": b"\xff\x00",
    }[change]
    path.write_bytes(changed)

    (said,) = units.write_units(tmp_path, COMMAND, None)

    assert path.read_bytes() == changed
    assert path.with_name(f"{path.name}.new").read_bytes() == written
    assert f"{path} has been changed" in said
    assert f"{path}.new" in said


def test_a_masked_unit_stays_masked(tmp_path: Path) -> None:
    """A link, which `systemctl mask` makes, is not followed and not replaced."""
    path = path_of(tmp_path, units.TIMER)
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/null")

    (said,) = units.write_units(tmp_path, COMMAND, None)

    assert path.readlink() == Path("/dev/null")
    assert f"{path} is a link" in said


def test_units_can_be_read_by_all_and_leave_nothing_else(tmp_path: Path) -> None:
    """Each file has the mode that systemd expects, and no half of one stays."""
    units.write_units(tmp_path, COMMAND, None)

    found = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert {each.stat().st_mode & 0o777 for each in found} == {0o644}
    assert len(found) == len(units.unit_files(COMMAND, None))


# --- systemctl -----------------------------------------------------------------------------------


@pytest.fixture(name="calls")
def _calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that notes how it is called."""
    calls = tmp_path / "calls"
    shim = tmp_path / "bin" / "systemctl"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\necho "$*" >>"{calls}"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    return calls


def test_systemd_is_told_and_the_timer_started(calls: Path) -> None:
    """Where systemd runs, it reads the units again and starts the timer at once."""
    assert units.switch_on(None) == ""

    assert calls.read_text().splitlines() == [
        "daemon-reload",
        f"enable --quiet --now {units.TIMER} {units.PRUNE_TIMER} {units.DOCTOR_TIMER}",
    ]


def test_below_a_root_the_timer_is_enabled_only(calls: Path, tmp_path: Path) -> None:
    """The systemd of this host hears nothing of an image's units."""
    assert units.switch_on(tmp_path) == ""

    timers = f"{units.TIMER} {units.PRUNE_TIMER} {units.DOCTOR_TIMER}"
    assert calls.read_text().splitlines() == [f"enable --quiet --root={tmp_path} {timers}"]


def test_a_systemctl_that_fails_is_quoted(calls: Path, tmp_path: Path) -> None:
    """The sentence has the command, its words and what is left to do."""
    shim = tmp_path / "bin" / "systemctl"
    shim.write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 4\n")

    said = units.switch_on(None)

    assert said.startswith("`systemctl daemon-reload` failed: Access denied. Enable ")
    assert not calls.exists()


def test_no_systemctl_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host without the command is told what is left to do."""
    monkeypatch.setenv("PATH", str(tmp_path))

    said = units.switch_on(None)

    assert "`systemctl daemon-reload` does not start (No such file or directory)" in said


# --- without systemd -----------------------------------------------------------------------------


def test_where_systemd_runs(tmp_path: Path) -> None:
    """Its directory below /run tells, as systemd itself documents."""
    before = units.is_systemd_running(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)

    assert (before, units.is_systemd_running(tmp_path)) == (False, True)


def test_cron_does_what_the_timers_do() -> None:
    """Each line has five times, a user and a service's command."""
    lines = [each.split(maxsplit=6) for each in units.cron_lines(COMMAND)]

    assert {each[5] for each in lines} == {"root"}
    assert [each[6].removesuffix(" >/dev/null") for each in lines] == [
        f"{COMMAND} reap --yes",
        f"{COMMAND} prune --yes",
        f"{COMMAND} doctor --record",
    ]


# --- removing ------------------------------------------------------------------------------------


def test_units_are_removed(tmp_path: Path) -> None:
    """Also what enabled them; a changed one, and other drop-ins, stay."""
    units.write_units(tmp_path, COMMAND, None)
    wanted = path_of(tmp_path, "timers.target.wants")
    wanted.mkdir()
    (wanted / units.TIMER).symlink_to(path_of(tmp_path, units.TIMER))
    other = path_of(tmp_path, units.DROP_IN).with_name("20-other.conf")
    other.touch()
    path_of(tmp_path, units.SERVICE).write_text("# mine\n")

    (said,) = units.remove_units(tmp_path)

    assert f"{path_of(tmp_path, units.SERVICE)} has been changed" in said
    left = {each.name for each in tmp_path.rglob("*") if not each.is_dir()}
    assert left == {units.SERVICE, "20-other.conf"}

"""The whole command on hosts with one fault each, and its options and exit codes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from executor.commands.doctor.command import main
from tests.commands.doctor.faults import files, info, mode, registered, settings
from tests.commands.doctor.hosts import CONFIG, REGISTRATION, SETTINGS, SOCKET, UNIT, Host, running

Report = dict[str, Any]
_USER = ("--user", "gitlab-runner")


class Broken(NamedTuple):
    """A host with one fault: what is changed, how doctor is called, and what it says then."""

    name: str
    change: Callable[[Host], object]
    arguments: tuple[str, ...]
    check: str
    found: str
    remedy: str


BROKEN = (
    Broken("hook", registered("prepare_exec =", "prepar_exec ="), (), "config", "`prepar_exec`", "`prepare_exec`"),
    Broken("group", lambda _: None, _USER, "engine-socket", "does not allow it", "usermod --append --groups docker"),
    Broken("runtime", settings('[dind]\nruntime = "kata"\n'), (), "runtime", "no runtime kata", "[dind] runtime"),
    Broken("vfs", info(Driver="vfs"), (), "storage", "vfs", '"storage-driver": "overlay2"'),
    Broken("pool", settings('[docker]\nnetwork_pool = ["192.0.2.0/24"]\n'), (), "subnets", "192.0.2.0/24", "10.240"),
    Broken("unit", files({f"{UNIT}.d/10-dind-executor.conf": None}), (), "runner-service", "control-group", "install"),
    Broken("log", lambda _: None, _USER, "log", "dind-executor.log", "chown -R gitlab-runner"),
    Broken("token", mode(CONFIG, 0o644), (), "token", "0644", f"chmod 600 {CONFIG}"),
    Broken("clock", info(SystemTime="2026-01-01T00:00:00Z"), (), "clock", "ahead of the engine's", "set-ntp"),
    Broken("mirror", info(RegistryConfig={"Mirrors": ["http://127.0.0.1:1/"]}), ("--online",), "mirror", "Connection refused", "remove it from daemon.json"),
)  # fmt: skip


def asked(host: Host, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Report]:
    """Return the exit code of doctor on a host, and what it prints."""
    host.write({"/etc/dind-executor/settings.toml": host.settings})
    capfd.readouterr()
    with running(host):
        there = host.root / SOCKET.lstrip("/")
        there.chmod(0o660)
        if "socket_group" in host.more:
            os.chown(there, 0, host.more["socket_group"])
        code = main(["--root", str(host.root), "--json", *arguments])
    report = json.loads(capfd.readouterr().out)
    assert isinstance(report, dict)
    return code, report


@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are root's to make")
@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: each.name)
def test_a_host_with_one_fault_is_found_with_its_remedy(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], broken: Broken
) -> None:
    """The check that is for the fault names it and what helps, and no other check finds anything."""
    host = Host(tmp_path)
    broken.change(host)
    _owned(tmp_path, 0 if broken.name == "log" else 995)
    if broken.name != "group":
        host.more["socket_group"] = 993

    code, report = asked(host, capfd, *broken.arguments, "--ignore", "gitlab,registry")

    bad = [
        each
        for each in report["checks"]
        if each["level"] in {"warn", "fail", "error"} and not each["ignored"]
    ]
    assert {each["id"] for each in bad} == {broken.check}, [each["found"] for each in bad]
    assert any(broken.found in each["found"] and broken.remedy in each["remedy"] for each in bad), (
        bad
    )
    assert code == (0 if all(each["level"] == "warn" for each in bad) else 1)


def _owned(root: Path, uid: int) -> None:
    for name in ("log", "lib"):
        for path in (root / f"var/{name}/dind-executor").rglob("*"):
            os.chown(path, uid, uid)
        os.chown(root / f"var/{name}/dind-executor", uid, uid)
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def test_a_right_host_is_fit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a fault the exit code is 0, also with --strict, and the object says so."""
    code, report = asked(Host(tmp_path), capfd, "--strict")

    assert code == 0
    assert report["ok"] is True
    assert report["counts"]["warn"] == report["counts"]["fail"] == 0
    assert report["job"] is None


def test_warnings_fail_if_strict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A warning alone is 0, and 1 with --strict, and 0 again if it is ignored."""
    host = Host(tmp_path)
    host.info["LiveRestoreEnabled"] = True

    assert asked(host, capfd)[0] == 0
    assert asked(host, capfd, "--strict")[0] == 1
    assert asked(host, capfd, "--strict", "--ignore", "live-restore")[0] == 0


def test_only_some_checks_are_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--only leaves out all others, in the order of the table."""
    _, report = asked(Host(tmp_path), capfd, "--only", "token,storage")

    assert [each["id"] for each in report["checks"]] == ["storage", "token"]


def test_an_engine_that_is_away_is_never_passed_over(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who asks about storage alone does not hear that all is well where nothing was seen."""
    Host(tmp_path)

    assert main(["--root", str(tmp_path), "--only", "storage"]) == 1
    assert main(["--root", str(tmp_path), "--only", "token"]) == 0
    assert "engine-socket" in capfd.readouterr().out


def test_a_file_is_known_by_its_whole_path(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By that, the gitlab-runner that runs with it is found, and its engine, wherever this is called."""
    config = tmp_path / "config.toml"
    config.write_text(REGISTRATION.replace(SETTINGS, str(tmp_path / "settings.toml")))
    (tmp_path / "settings.toml").touch()
    config.chmod(0o600)
    monkeypatch.chdir(tmp_path)

    assert main(["--config", "config.toml", "--only", "token", "--json"]) == 0

    (check,) = json.loads(capfd.readouterr().out)["checks"]
    assert check["found"].startswith(str(config))


def test_settings_with_a_mistake_are_never_passed_over(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who asks about subnets alone hears that the settings count for nothing, and the defaults do."""
    host = Host(tmp_path, settings='[docker]\nnetwork_pool = "10.0.0.0/8"\n')

    code, report = asked(host, capfd, "--only", "subnets")

    assert code == 1
    assert [(each["id"], each["level"]) for each in report["checks"]] == [
        ("subnets", "ok"),
        ("config", "fail"),
    ]


def test_a_record_is_the_same_object(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--record writes what --json prints, whole, and nothing else below the host's root."""
    host = Host(tmp_path / "host")
    before = _everything(host.root)
    code, report = asked(host, capfd, "--record", str(tmp_path / "record.json"))

    assert code == 0
    assert json.loads((tmp_path / "record.json").read_text()) == report
    assert _everything(host.root) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["host", "record.json"]


def test_a_record_without_a_name_lies_in_the_state_directory(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """There the page and the metrics look for it; a link of somebody's there is not followed."""
    state = tmp_path / "state"
    state.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (state / "doctor.json.new").symlink_to(victim)
    host = Host(tmp_path / "host", settings=f'[sweep]\nstate_dir = "{state}"\n')

    code, _ = asked(host, capfd, "--only", "storage", "--record")
    assert code == 2
    assert victim.read_text() == "mine"

    (state / "doctor.json.new").unlink(missing_ok=True)
    _, report = asked(host, capfd, "--only", "storage", "--record")
    assert json.loads((state / "doctor.json").read_text()) == report


def _everything(root: Path) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if not path.is_socket()
    }


@pytest.mark.parametrize(
    "arguments", [["--only", "nothing"], ["--ignore", "storage,all"], ["--root", "/nowhere"]]
)
def test_wrong_use_is_said(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """An unknown check, or a root that is not there, ends the command with 2."""
    assert main(arguments) == 2
    assert "dind-executor doctor: " in capfd.readouterr().err


def test_lines_are_for_people(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without --json each finding has a line, and the last one counts them."""
    host = Host(tmp_path)
    with running(host):
        assert main(["--root", str(tmp_path), "--only", "storage,token", "--only-problems"]) == 0
    assert capfd.readouterr().out.startswith("0 failures, 0 warnings, 2 ok, 0 skipped.")

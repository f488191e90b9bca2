"""Installing on a runner host, for real: a virtual environment, the packages, the hooks."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from executor import __version__
from executor.commands import units
from executor.commands.install import command as installing
from executor.commands.install.versions import Versions

REPOSITORY = Path(__file__).resolve().parents[3]


def install(
    prefix: Path, *more: str, source: Path = REPOSITORY
) -> "subprocess.CompletedProcess[str]":
    """Call the command as the README says, with an interpreter that has nothing installed."""
    interpreter = Path(sys.executable).resolve()
    return subprocess.run(
        [interpreter, "-m", "executor", "install", "--prefix", str(prefix), *more],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="prefix")
def _prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("opt") / "dind-executor"
    done = install(prefix, "--units-root", str(prefix / "root"), "--longest-job", "3h")
    assert done.returncode == 0, done.stderr
    return prefix


def version(prefix: Path) -> str:
    """Return what the installed command says, away from the clone."""
    command = prefix / "current" / "bin" / "dind-executor"
    return subprocess.run(
        [command, "--version"], cwd="/", capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("stage", ["config", "prepare", "run", "cleanup"])
def test_the_installed_hooks_run_their_stage(prefix: Path, stage: str) -> None:
    """Each hook finds the environment beside it and answers as a stage: no settings, exit 2."""
    done = subprocess.run(
        [prefix / "hooks" / stage], cwd="/", capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "called without a settings file" in done.stderr


def test_nothing_runs_before_a_stage(prefix: Path) -> None:
    """A `.pth` file would be read, and its lines run, at each start of the installed interpreter."""
    assert list(prefix.glob("current/bin/python"))
    assert list(prefix.glob("current/lib/python*/site-packages/*.pth")) == []


def shipped(package: Path) -> set[str]:
    """Return what lies in a package, without what Python makes of it."""
    return {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_an_installed_command_is_about_its_own_prefix(prefix: Path) -> None:
    """Rollback finds its versions, and register its hooks, without an option."""

    def said(*args: str) -> str:
        command = prefix / "current" / "bin" / "dind-executor"
        done = subprocess.run([command, *args], cwd="/", capture_output=True, text=True, check=True)
        return done.stdout

    assert f"{__version__} (current)" in said("rollback", "--list")
    assert f'prepare_exec = "{prefix}/hooks/prepare"' in said("register", "--print-template")


def test_whatever_lies_beside_the_code_is_installed(prefix: Path) -> None:
    """The shell programs and every other file of a package are in the installed one."""
    (package,) = prefix.glob(f"{__version__}/lib/python*/site-packages/executor")

    assert shipped(package) == shipped(REPOSITORY / "executor")


def test_the_installed_programs_can_be_read(prefix: Path) -> None:
    """The installed package finds each of its shell files, away from the clone."""
    names = sorted(each.stem for each in (REPOSITORY / "executor" / "shell").glob("*.sh"))
    program = "import sys; from executor.shell import program as p; print(*map(len, map(p, sys.argv[1:])))"

    done = subprocess.run(
        [prefix / "current" / "bin" / "python", "-I", "-c", program, *names],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(done.stdout.split()) == len(names) > 0
    assert "0" not in done.stdout.split()


def test_the_units_are_written_below_their_root(prefix: Path) -> None:
    """They name the installed command, and the stop of gitlab-runner fits the longest job."""
    written = prefix / "root/etc/systemd/system"

    service = (written / "dind-executor-reap.service").read_text()
    drop_in = (written / "gitlab-runner.service.d/10-dind-executor.conf").read_text()
    assert f"ExecStart={prefix}/current/bin/dind-executor reap --yes\n" in service
    assert f"TimeoutStopSec={3 * 3600 + 1200}\n" in drop_in


def test_an_upgrade_keeps_the_paths_and_the_old_version(prefix: Path, tmp_path: Path) -> None:
    """A second install is beside the first one, which a rollback brings back; a clone stays as it is."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("executor", "hooks"):
        shutil.copytree(REPOSITORY / name, source / name)
    package = source / "executor" / "__init__.py"
    text = package.read_text(encoding="utf-8")
    package.write_text(text.replace(__version__, "99.0.0"), encoding="utf-8")

    before = version(prefix)
    done = install(prefix, source=source)

    assert done.returncode == 0, done.stderr
    assert (before, version(prefix)) == (f"dind-executor {__version__}", "dind-executor 99.0.0")
    command = prefix / "current" / "bin" / "dind-executor"
    assert f"`{command} rollback` goes back to {__version__}." in done.stdout
    back = subprocess.run([command, "rollback"], cwd="/", check=True, capture_output=True)
    assert f"dind-executor {__version__}".encode() in back.stdout
    assert version(prefix) == f"dind-executor {__version__}"
    assert sorted(each.name for each in source.iterdir()) == [
        "LICENSE",
        "README.md",
        "executor",
        "hooks",
        "pyproject.toml",
    ]


def test_a_clone_without_network_needs_a_directory_of_wheels(tmp_path: Path) -> None:
    """One sentence and exit 2 before anything is installed."""
    refused = [install(tmp_path / "x", "--offline"), install(tmp_path / "x", "--offline=/nowhere")]

    assert [each.returncode for each in refused] == [2, 2]
    assert "pip wheel --wheel-dir DIR" in refused[0].stderr
    assert "/nowhere is not a directory of wheels." in refused[1].stderr
    assert list(tmp_path.iterdir()) == []


def asked(*args: str) -> argparse.Namespace:
    """Return what `install` is asked for."""
    return installing._parser().parse_args(list(args))


@pytest.mark.parametrize(
    ("prefix", "args", "runs", "written"),
    [
        (installing.PREFIX, (), True, True),
        (installing.PREFIX, (), False, False),
        (installing.PREFIX, ("--no-units",), True, False),
        (installing.PREFIX, ("--units",), False, True),
        (Path("/elsewhere"), (), True, False),
        (Path("/elsewhere"), ("--units",), True, True),
    ],
)
def test_where_units_are_written(
    mocker: MockerFixture,
    capsys: pytest.CaptureFixture[str],
    *,
    prefix: Path,
    args: tuple[str, ...],
    runs: bool,
    written: bool,
) -> None:
    """By default where systemd runs and the paths are the usual ones; without systemd, cron is named."""
    mocker.patch.object(units, "is_systemd_running", return_value=runs)
    mocker.patch.object(units, "longest_job", return_value=None)
    writes = mocker.patch.object(units, "write_units", return_value=[])
    mocker.patch.object(units, "switch_on", return_value="")

    installing._install_units(asked(*args), Versions(prefix))

    assert writes.called == written
    by_cron = not args and not runs and prefix == installing.PREFIX
    assert ("*/5 * * * * root /usr/local/bin/dind-executor" in capsys.readouterr().out) == by_cron


def test_what_the_administrator_has_changed_is_said(
    mocker: MockerFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A warning for each unit that stays as it is, and one where systemd does not take them."""
    mocker.patch.object(units, "longest_job", return_value=None)
    mocker.patch.object(units, "switch_on", return_value="It did not work.")
    given = asked(f"--units-root={tmp_path}")
    installing._install_units(given, Versions(installing.PREFIX))
    for path in (each for each in tmp_path.rglob("*") if each.is_file()):
        path.write_text("# mine\n")
    capsys.readouterr()

    installing._install_units(given, Versions(installing.PREFIX))

    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 9
    assert all(each.startswith("WARNING: ") for each in warnings)
    assert sum("has been changed" in each for each in warnings) == 8


@pytest.mark.parametrize("text", ["", "long", "0", "-1h"])
def test_a_duration_that_is_none(tmp_path: Path, text: str) -> None:
    """One sentence and exit 2 before anything is installed."""
    done = install(tmp_path / "prefix", f"--longest-job={text}")

    assert done.returncode == 2
    assert f"{text!r} is not a duration" in done.stderr
    assert not (tmp_path / "prefix").exists()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    """To be root makes no difference, and is no remedy."""
    done = install(tmp_path / "opt" / "prefix")

    assert done.returncode == 2
    assert f"There is no directory {tmp_path / 'opt'}. Make it" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_writable_is_named(tmp_path: Path) -> None:
    """One sentence and exit 2 where the prefix cannot be made."""
    prefix = tmp_path / "file" / "prefix"
    prefix.parent.write_text("not a directory", encoding="utf-8")

    done = install(prefix)

    assert done.returncode == 2
    assert str(prefix.parent) in done.stderr
    assert "Traceback" not in done.stderr

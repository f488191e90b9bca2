"""Installing on a runner host, for real: a virtual environment, the packages, the hooks."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from executor import __version__

REPOSITORY = Path(__file__).resolve().parents[2]


def install(prefix: Path, source: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
    """Call the command as the README says, with an interpreter that has nothing installed."""
    interpreter = Path(sys.executable).resolve()
    return subprocess.run(
        [interpreter, "-m", "executor", "install", "--prefix", str(prefix)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="prefix")
def _prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("opt") / "dind-executor"
    done = install(prefix)
    assert done.returncode == 0, done.stderr
    return prefix


def version(prefix: Path) -> str:
    """Return what the installed command says, away from the clone."""
    command = prefix / "venv" / "bin" / "dind-executor"
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


def shipped(package: Path) -> set[str]:
    """Return what lies in a package, without what Python makes of it."""
    return {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_whatever_lies_beside_the_code_is_installed(prefix: Path) -> None:
    """The shell programs and every other file of a package are in the installed one."""
    (package,) = prefix.glob("venv/lib/python*/site-packages/executor")

    assert shipped(package) == shipped(REPOSITORY / "executor")


def test_the_installed_programs_can_be_read(prefix: Path) -> None:
    """The installed package finds each of its shell files, away from the clone."""
    names = sorted(each.stem for each in (REPOSITORY / "executor" / "shell").glob("*.sh"))
    program = "import sys; from executor.shell import program as p; print(*map(len, map(p, sys.argv[1:])))"

    done = subprocess.run(
        [prefix / "venv" / "bin" / "python", "-I", "-c", program, *names],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(done.stdout.split()) == len(names) > 0
    assert "0" not in done.stdout.split()


def test_an_upgrade_keeps_the_paths_and_takes_the_new_code(prefix: Path, tmp_path: Path) -> None:
    """A second install replaces the package: nothing of the old one stays."""
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
    done = install(prefix, source)

    assert done.returncode == 0, done.stderr
    assert (before, version(prefix)) == (f"dind-executor {__version__}", "dind-executor 99.0.0")
    assert sorted(each.name for each in source.iterdir()) == [
        "LICENSE",
        "README.md",
        "executor",
        "hooks",
        "pyproject.toml",
    ]


def test_a_place_that_is_not_writable_is_named(tmp_path: Path) -> None:
    """One sentence and exit 2 where the prefix cannot be made."""
    prefix = tmp_path / "file" / "prefix"
    prefix.parent.write_text("not a directory", encoding="utf-8")

    done = install(prefix)

    assert done.returncode == 2
    assert str(prefix.parent) in done.stderr
    assert "Traceback" not in done.stderr

"""What an image of gitlab-runner gets: `deploy/container`; `tests/gitlab` builds a real one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "deploy/container"

# A Python that says what it is asked to do, or that is too old for the question before.
NEW = '#!/bin/sh\ncase $1 in -m) echo "calls $0 $* in $PWD" ;; esac\n'
OLD = "#!/bin/sh\nexit 1\n"


def installed(
    tmp_path: Path, commands: dict[str, str]
) -> "tuple[subprocess.CompletedProcess[str], Path]":
    """Run the installation in an image that has these commands and few others."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cat", "chmod", "dirname", "sed"):
        (programs / name).symlink_to(str(shutil.which(name)))
    # It would remove this machine's lists of packages.
    for name, text in {"rm": "#!/bin/sh\n", **commands}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    directory = tmp_path / "source/deploy/container"
    directory.mkdir(parents=True)
    script = shutil.copy(SOURCE / "install.sh", directory)
    modules = tmp_path / "source/executor"
    modules.mkdir()
    (modules / "__init__.py").write_text('"""Words."""\n\n__version__ = "1.0"\n')
    done = subprocess.run(
        [str(shutil.which("sh")), script],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, programs


def package_manager(programs: str, python: str) -> str:
    """Return a package manager that says what it is asked for, and installs a Python."""
    lines = ["#!/bin/sh", f'echo "{programs} $*"', "case $* in *python3*)"]
    lines += [
        f"cat >${{0%/*}}/python3 <<'END'\n{python}END",
        "chmod 755 ${0%/*}/python3 ;;",
        "esac",
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["python3", "python3.11", "python3.14"])
def test_a_python_that_is_there_is_used(tmp_path: Path, name: str) -> None:
    """The first that is new enough installs, and no package is."""
    commands = {"python3": OLD, "apk": package_manager("apk", NEW), name: NEW}
    commands["dpkg"] = "#!/bin/sh\necho amd64\n"

    done, programs = installed(tmp_path, commands)

    directory = tmp_path / "source"
    assert done.stdout == f"calls {programs}/{name} -m executor install in {directory}\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("manager", "asked"),
    [
        ("apk", ["apk add --no-cache python3"]),
        (
            "apt-get",
            [
                "apt-get -q update",
                "apt-get -q install --yes --no-install-recommends python3 python3-venv",
            ],
        ),
    ],
)
def test_a_python_is_installed_from_packages(
    tmp_path: Path, manager: str, asked: list[str]
) -> None:
    """The package manager of Alpine or of Debian and Ubuntu brings it."""
    done, _ = installed(tmp_path, {manager: package_manager(manager, NEW)})

    *before, last = done.stdout.splitlines()
    assert before == asked
    assert last.endswith(f"/python3 -m executor install in {tmp_path}/source")
    assert done.returncode == 0


@pytest.mark.parametrize("commands", [{}, {"apt-get": package_manager("apt-get", OLD)}])
def test_a_distribution_that_is_too_old(tmp_path: Path, commands: dict[str, str]) -> None:
    """The build ends with what to do instead."""
    done, _ = installed(tmp_path, commands)

    assert done.returncode == 1
    assert "ERROR: This image has no package of Python 3.11 or later." in done.stderr
    assert "--build-arg RUNNER_IMAGE=gitlab/gitlab-runner:alpine" in done.stderr


@pytest.mark.parametrize(
    ("manager", "named", "asked"),
    [
        ("dpkg", "dind-executor_1.0_arm64.deb", "--install ./dind-executor_1.0_arm64.deb"),
        ("rpm", "dind-executor-1.0-1.aarch64.rpm", "--install ./dind-executor-1.0-1.aarch64.rpm"),
    ],
)
def test_a_package_for_the_image_is_installed(
    tmp_path: Path, manager: str, named: str, asked: str
) -> None:
    """This clone's version for its distribution and architecture; then no Python is looked for."""
    directory = tmp_path / "source"
    directory.mkdir()
    others = ("dind-executor_0.9_arm64.deb", "dind-executor-0.9-1.aarch64.rpm")
    for each in (*others, named, "dind-executor_1.0_amd64.deb", "dind-executor-1.0-1.x86_64.rpm"):
        (directory / each).touch()
    program = f'#!/bin/sh\ncase $1 in --print*) echo arm64 ;; *) echo "{manager} $*" ;; esac\n'

    done, _ = installed(tmp_path, {manager: program, "uname": "#!/bin/sh\necho aarch64\n"})

    assert done.stdout == f"{manager} {asked}\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("manager", "other", "named"),
    [
        ("dpkg", "dind-executor_0.9_arm64.deb", "dind-executor_1.0_arm64.deb"),
        ("rpm", "dind-executor-0.9-1.aarch64.rpm", "dind-executor-1.0-1.aarch64.rpm"),
    ],
)
def test_a_package_of_another_version_is_left_out(
    tmp_path: Path, manager: str, other: str, named: str
) -> None:
    """The clone is installed instead, and the build says what was there."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / other).touch()
    commands = {manager: "#!/bin/sh\necho arm64\n", "uname": "#!/bin/sh\necho aarch64\n"}

    done, _ = installed(tmp_path, {**commands, "python3": NEW})

    first, last = done.stdout.splitlines()
    assert first == f"dist/{other} is not dist/{named}: it is left out."
    assert last.endswith(f"/python3 -m executor install in {tmp_path}/source")


def test_the_copied_files_are_in_the_context() -> None:
    """What the Dockerfile copies exists and is not ignored, and the installation needs no more."""
    copied = re.findall(r"^COPY (.*) \S+$", (SOURCE / "Dockerfile").read_text(), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ignored[1] == "*"
    for name in names:
        assert (ROOT / name).exists() or name.startswith("dis[t]/")
        if name.startswith("dis[t]/"):
            continue
        assert any(f"!{name}/".startswith(f"{each}/") for each in ignored if each[0] == "!"), name
    assert {"pyproject.toml", "README.md", "LICENSE", "executor", "hooks"} <= set(names)

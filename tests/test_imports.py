"""What each stage loads, and which module may import which."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import executor
from executor.env import RUN_CONTEXT
from tests.engine.stub import UPGRADED, Connection, Received, StubEngine, frame, http, stub_engine

PACKAGE = Path(executor.__file__).parent
SLOW = {
    "docker",
    "gitlab",
    "requests",
    "urllib3",
    "yaml",
    "rich",
    "pkg_resources",
    "importlib.metadata",
}
"""Nothing that a job waits for loads these."""

SLOW_FOR_RUN = SLOW | {
    "asyncio",
    "cryptography",
    "dataclasses",
    "http",
    "inspect",
    "logging",
    "pathlib",
    "ssl",
    "structlog",
    "subprocess",
    "threading",
    "tomllib",
    "typing",
    "urllib",
    "argparse",
    "contextlib",
    "tempfile",
    "datetime",
}
"""`run` is called four to nine times a job, and starts Python each time."""

# Writes what is loaded as each connection to the engine is made: the last one is the script's.
WATCH = """\
import sys
def watch(event, args):
    if event == "socket.connect":
        with open({seen!r}, "w") as file:
            file.write("\\n".join(sys.modules))
sys.addaudithook(watch)
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""
AT_END = """\
import os, sys
exits = os._exit
def end(code):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(sys.modules))
    exits(code)
os._exit = end
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""


def loaded(program: str, args: list[str], environment: dict[str, str], directory: Path) -> set[str]:
    """Run a stage; return the modules that it had loaded, beyond those of the bare interpreter."""
    seen = directory / "modules"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program.format(seen=str(seen), args=args)],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(directory), **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()
    return set(seen.read_text().split()) - set(bare)


def among(modules: set[str], forbidden: set[str]) -> set[str]:
    """Return the forbidden modules that are among others, by themselves or by a part."""
    return {
        each for each in forbidden if any(f"{name}.".startswith(f"{each}.") for name in modules)
    }


def keeper(connection: Connection, _received: Received) -> None:
    """Run a script that prints and fails in no way."""
    connection.send(UPGRADED)
    nonce = connection.file.readline().split()[1]
    for text in (b"begins", b"0"):
        for stream in (2, 1):
            connection.send(frame(stream, b"\0%s %d %s\n" % (nonce, stream, text)))


def a_run(stub: StubEngine, directory: Path, sub_stage: str) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment of a `run` call after config."""
    script = directory / "script"
    script.write_text("exit 0\n")
    stub.on("GET", "/containers/.*-dind/json", http(404, {"message": "no such container"}))
    stub.on("POST", "/attach", keeper)
    context = {
        "host": stub.host,
        "tls_dir": "",
        "tls_verify": False,
        "key": "1-ab",
        "job_id": 1,
        "project_id": 2,
        "ready_timeout": 60,
        "log": f"file:{directory}/operator.log",
    }
    return ["run", str(script), sub_stage], {RUN_CONTEXT: json.dumps(context)}


@pytest.mark.parametrize("sub_stage", ["get_sources", "build_script", "after_script"])
def test_run_loads_little_on_its_way_to_the_script(tmp_path: Path, sub_stage: str) -> None:
    """Nothing slow before the script starts."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, sub_stage)

        modules = loaded(WATCH, args, environment, tmp_path)

    assert "executor.engine.script" in modules
    assert among(modules, SLOW_FOR_RUN) == set()


def test_run_loads_little_to_its_end(tmp_path: Path) -> None:
    """Its log is written without structlog."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script")

        modules = loaded(AT_END, args, environment, tmp_path)

    assert (tmp_path / "operator.log").read_text().count("\n") >= 2
    assert (
        among(modules, SLOW | {"structlog", "ssl", "asyncio", "logging", "cryptography"}) == set()
    )


def test_the_watch_sees_what_is_loaded(tmp_path: Path) -> None:
    """A list that is always empty would prove nothing."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script")

        modules = loaded(f"import structlog\n{WATCH}", args, environment, tmp_path)

    assert "structlog" in among(modules, SLOW_FOR_RUN)


def files(directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return settings as arguments, and a payload."""
    (directory / "response.json").write_text('{"id": 1, "token": "t"}')
    (directory / "settings.toml").write_text(f'[log]\npath = "{directory}/operator.log"\n')
    return ["--settings", str(directory / "settings.toml")], {
        "JOB_RESPONSE_FILE": str(directory / "response.json"),
        "HOME": str(directory),
    }


def test_config_loads_nothing_slow(tmp_path: Path) -> None:
    """It reads two files and prints one value."""
    args, environment = files(tmp_path)

    modules = loaded(AT_END, ["config", *args], environment, tmp_path)

    assert among(modules, SLOW | {"structlog", "cryptography", "ssl", "asyncio"}) == set()


def test_cleanup_loads_nothing_slow(tmp_path: Path) -> None:
    """It asks for three lists."""
    args, environment = files(tmp_path)
    with stub_engine(tmp_path) as stub:
        stub.on("GET", "/", http(200, []))
        environment["DOCKER_HOST"] = stub.host

        modules = loaded(AT_END, ["cleanup", *args], environment, tmp_path)

    assert among(modules, SLOW | {"cryptography"}) == set()


def test_prepare_loads_nothing_slow_by_being_imported(tmp_path: Path) -> None:
    """What makes certificates loads beside the work."""
    program = (
        "import sys\nimport executor.stages.prepare\n"
        "open({seen!r}, 'w').write('\\n'.join(sys.modules))\nargs = {args!r}\n"
    )

    modules = loaded(program, [], {}, tmp_path)

    assert (
        among(modules, SLOW | {"structlog", "cryptography", "ssl", "asyncio", "logging"}) == set()
    )


# --- layers: the list in the package's docstring ----------------------------------------------


def rows() -> list[tuple[list[str], bool]]:
    """Return the rows of the list from the top: the modules, and whether they are pure."""
    found = re.findall(
        r"^\d+\. (.*?)(?=^\d+\. |^$)", executor.__doc__ or "", re.MULTILINE | re.DOTALL
    )
    assert found, "the package's docstring has no list"
    return [
        (re.findall(r"`(\w+)`", row.partition(":")[0]), row.rstrip().endswith("(pure)"))
        for row in found
    ]


LISTED = [module for modules, _pure in rows() for module in modules]
PURE = [module for modules, pure in rows() if pure for module in modules]


def files_of(module: str) -> list[Path]:
    """Return the files of a module or a package."""
    path = PACKAGE / module
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports_of(path: Path) -> set[str]:
    """Return which modules of ours a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = node.module.split(".")
            names = parts[1:2] or [alias.name for alias in node.names]
            found |= set(names) if parts[0] == "executor" else set()
        elif isinstance(node, ast.Import):
            dotted = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in dotted if parts[0] == "executor" and len(parts) > 1}
    return found


def typing_only(path: Path) -> set[str]:
    """Return which modules of ours a file imports for annotations alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for each in ast.walk(node):
                if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("executor."):
                    found.add(str(each.module).split(".")[1])
    return found


def test_the_list_has_every_module_once() -> None:
    """The map of the package shows what exists."""
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}

    assert sorted(LISTED) == sorted(there - {"__init__", "__pycache__"})


@pytest.mark.parametrize("module", LISTED)
def test_a_module_imports_only_from_its_row_and_below(module: str) -> None:
    """As the docstring of the package says; `local` stands apart and calls the hooks."""
    above: set[str] = set()
    for modules, _pure in rows():
        if module in modules:
            break
        above |= set(modules)

    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in files_of(module)
        for name in (imports_of(path) - typing_only(path)) & above
    }

    assert wrong == set()


EFFECTS = {
    "socket",
    "subprocess",
    "time",
    "random",
    "structlog",
    "docker",
    "requests",
    "urllib",
    "secrets",
}


@pytest.mark.parametrize("name", PURE)
def test_what_decides_does_nothing(name: str) -> None:
    """No I/O, no clock and no dice in what plans a job."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])

    assert found & EFFECTS == set()


def test_only_the_entry_points_look_at_the_environment() -> None:
    """Everything else is told what it needs."""
    looking = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8") and "local" not in path.parts
    }

    assert looking <= {"env.py", "__main__.py", "install.py", "host_credentials.py"}

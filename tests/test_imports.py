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
from executor.runner.environ import RUN_CONTEXT
from tests import structure
from tests.builders import context_values
from tests.engine.stub import UPGRADED, Connection, Received, StubEngine, frame, http, stub_engine

PACKAGE = Path(executor.__file__).parent
SLOW = {
    "dataclasses",
    "docker",
    "gitlab",
    "inspect",
    "requests",
    "structlog",
    "urllib3",
    "yaml",
    "rich",
    "prometheus_client",
    "pkg_resources",
    "importlib.metadata",
}
"""Nothing that a job waits for loads these."""

SLOW_FOR_RUN = SLOW | {
    "asyncio",
    "collections",
    "cryptography",
    "enum",
    "functools",
    "http",
    "json",
    "logging",
    "pathlib",
    "re",
    "signal",
    "ssl",
    "socket",
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
# Writes what is loaded when the script has ended.
ENDED = """\
import sys
from executor.scripts import script
close = script.Copying.close
def ended(copying, reader):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(sys.modules))
    close(copying, reader)
script.Copying.close = ended
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""
# Writes what is loaded while the engine removes.
REMOVES = """\
import sys
from executor.engine import removal
results = removal._results
def waits(tasks):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(sys.modules))
    return results(tasks)
removal._results = waits
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""
LOOKS = """\
import os, sys, time
from executor.disk.limits import Limits
from executor.disk.watch import Watch
from executor.disk.watched import Watched
from executor.engine.docker import Engine
from executor.host.disk import Place
from executor.log import AdministratorLog
from executor.names import JobNames
def end(_seconds):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(sys.modules))
    os._exit(0)
time.sleep = end
place, meeting = {args!r}
here = Place("/data", place, os.stat(place).st_dev)
watched = Watched((here,), Limits(1, 1, 0), "", 0.0, (), (), meeting)
Watch(Engine.at("unix:///none", "", tls_verify=False), JobNames("1-a"), watched,
      AdministratorLog("run")).follow(bool)
"""
READS = """\
import os, sys
read = []
def watch(event, args):
    if event == "open" and str(args[0]).endswith(".sh"):
        read.append(str(args[0]))
sys.addaudithook(watch)
exits = os._exit
def end(code):
    with open({seen!r}, "w") as file:
        file.write("\\n".join(read))
    exits(code)
os._exit = end
sys.argv[1:] = {args!r}
from executor.__main__ import main
main()
"""


def loaded(
    program: str, args: list[str], environment: dict[str, str], directory: Path, code: int = 0
) -> set[str]:
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
    assert done.returncode == code, done
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


def failing_keeper(connection: Connection, _received: Received) -> None:
    """Run a script that ends with 3."""
    connection.send(UPGRADED)
    nonce = connection.file.readline().split()[1]
    for text in (b"begins", b"3"):
        for stream in (2, 1):
            connection.send(frame(stream, b"\0%s %d %s\n" % (nonce, stream, text)))


def a_run(
    stub: StubEngine, directory: Path, sub_stage: str, *, fails: bool = False, captures: str = ""
) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment of a `run` call after config."""
    script = directory / "script"
    script.write_text("exit 0\n")
    stub.on("GET", "/containers/.*-dind/json", http(404, {"message": "no such container"}))
    stub.on("POST", "/attach", failing_keeper if fails else keeper)
    log = f"file:{directory}/operator.log"
    context = context_values(host=stub.host, log=log, capture=captures)
    return ["run", str(script), sub_stage], {RUN_CONTEXT: json.dumps(context)}


@pytest.mark.parametrize("sub_stage", ["get_sources", "build_script", "after_script"])
def test_run_loads_little_on_its_way_to_the_script(tmp_path: Path, sub_stage: str) -> None:
    """`run` loads nothing slow before the script starts."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, sub_stage)

        modules = loaded(WATCH, args, environment, tmp_path)

    assert "executor.scripts.script" in modules
    assert among(modules, SLOW_FOR_RUN) == set()


def test_run_loads_few_lines_on_its_way_to_the_script(tmp_path: Path) -> None:
    """What is loaded when the author's script is sent has a budget of lines."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script")

        found = loaded(WATCH, args, environment, tmp_path)

    lines = {name: structure.code_lines(path) for name in found if (path := _file(name))}
    assert "executor.services.dind" in lines
    assert sum(lines.values()) <= structure.MOST_LINES_FOR_RUN, lines


def _file(name: str) -> Path | None:
    """Return the file of a module of the product."""
    place = PACKAGE.parent.joinpath(*name.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((each for each in files if name.startswith("executor") and each.is_file()), None)


def test_run_loads_little_to_its_end(tmp_path: Path) -> None:
    """`run` writes its log without structlog."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script")

        modules = loaded(AT_END, args, environment, tmp_path)

    assert (tmp_path / "operator.log").read_text().count("\n") >= 2
    assert among(modules, SLOW_FOR_RUN) == set()


def test_run_loads_what_its_end_needs_while_the_script_runs(tmp_path: Path) -> None:
    """Nobody waits for that; what leaves the record is not there before the script is sent."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script")

        before = loaded(WATCH, args, environment, tmp_path)
        behind = loaded(ENDED, args, environment, tmp_path)

    at_the_end = {"executor.record.stage", "executor.log.lines"}
    assert at_the_end & before == set()
    assert at_the_end <= behind


@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("captures", [True, False])
def test_payloads_are_captured_where_a_job_failed(
    tmp_path: Path, *, fails: bool, captures: bool
) -> None:
    """What captures them is loaded after a failure only, and only where that is wanted."""
    directory = str(tmp_path / "captures") if captures else ""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, "build_script", fails=fails, captures=directory)

        modules = loaded(AT_END, args, environment, tmp_path, int(fails))

    assert ("executor.stages.capture" in modules) == (fails and captures)


def test_a_look_at_a_disk_with_room_loads_little(tmp_path: Path) -> None:
    """It is taken beside each script; what measures, ends and removes is for short disks."""
    modules = loaded(LOOKS, [str(tmp_path), str(tmp_path / "meeting")], {}, tmp_path)

    assert (tmp_path / "meeting").is_dir()
    near = {f"executor.disk.{each}" for each in ("growth", "scene", "ending", "room")}
    forbidden = near | {"executor.settings", "executor.engine.removal", "shutil", "urllib"}
    assert among(modules, forbidden) == set()


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
    """config reads two files and prints one value."""
    args, environment = files(tmp_path)

    modules = loaded(AT_END, ["config", *args], environment, tmp_path)

    assert among(modules, SLOW | {"cryptography", "ssl", "asyncio"}) == set()


def test_cleanup_loads_nothing_slow(tmp_path: Path) -> None:
    """cleanup asks the engine for three lists."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_cleanup(stub, tmp_path)

        modules = loaded(AT_END, args, environment, tmp_path)

    assert "executor.engine.removal" in modules
    assert among(modules, SLOW_FOR_RUN) == set()


def test_cleanup_loads_what_its_end_needs_while_the_engine_removes(tmp_path: Path) -> None:
    """Nobody waits for that, as in `run`."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_cleanup(stub, tmp_path)

        modules = loaded(REMOVES, args, environment, tmp_path)

    assert modules >= {"executor.record.stage", "executor.log.lines"}


def a_cleanup(stub: StubEngine, directory: Path) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment of a cleanup that finds nothing."""
    args, environment = files(directory)
    stub.on("GET", "/", http(200, []))
    context = context_values(host=stub.host, log=f"file:{directory}/operator.log")
    environment |= {"DOCKER_HOST": stub.host, RUN_CONTEXT: json.dumps(context)}
    return ["cleanup", *args], environment


def test_prepare_loads_nothing_slow_by_being_imported(tmp_path: Path) -> None:
    """The modules that make certificates are loaded later, beside the work."""
    program = (
        "import sys\nimport executor.stages.prepare\n"
        "open({seen!r}, 'w').write('\\n'.join(sys.modules))\nargs = {args!r}\n"
    )

    modules = loaded(program, [], {}, tmp_path)

    assert among(modules, SLOW | {"cryptography", "ssl", "asyncio", "logging"}) == set()


def test_config_reads_no_shell_program(tmp_path: Path) -> None:
    """It sends none, so its start does not pay for them."""
    args, environment = files(tmp_path)

    assert loaded(READS, ["config", *args], environment, tmp_path) == set()


@pytest.mark.parametrize(
    ("sub_stage", "read"),
    [("get_sources", []), ("build_script", []), ("archive_cache", ["find_gitlab_runner"])],
)
def test_run_reads_only_the_shell_programs_that_it_sends(
    tmp_path: Path, sub_stage: str, read: list[str]
) -> None:
    """Most sub-stages send the script that they are given, and nothing else."""
    with stub_engine(tmp_path) as stub:
        args, environment = a_run(stub, tmp_path, sub_stage)

        found = loaded(READS, args, environment, tmp_path)

    assert {Path(each).stem for each in found} == set(read)


# --- the table in the package's docstring ------------------------------------------------------


def rows() -> list[tuple[list[str], str]]:
    """Return the rows of the table from the top: the rooms, and their sentence."""
    found = re.findall(r"^\| \d \| (`.*?`) \| (.*) \|$", executor.__doc__ or "", re.MULTILINE)
    assert found, "the package's docstring has no table"
    return [(re.findall(r"`(\w+)`", names), sentence) for names, sentence in found]


def test_the_table_has_every_room_once() -> None:
    """The map of the package shows what exists, and nothing else."""
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}

    listed = [name for names, _sentence in rows() for name in names]

    assert sorted(listed) == sorted(there - {"__init__", "__pycache__"})


@pytest.mark.parametrize(
    ("name", "sentence"), [(names[0], text) for names, text in rows() if len(names) == 1]
)
def test_a_room_says_of_itself_what_the_table_says(name: str, sentence: str) -> None:
    """The first sentence of a room's docstring is its row in the table."""
    path = PACKAGE / name / "__init__.py"
    tree = ast.parse((path if path.exists() else path.parent.with_suffix(".py")).read_text())

    first = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())

    assert first == sentence


def test_only_the_entry_points_look_at_the_environment() -> None:
    """Every other module is told what it needs."""
    looking = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8") and "local" not in path.parts
    }

    assert looking <= {
        "runner/environ.py",
        "__main__.py",
        "commands/fleet/command.py",
        "commands/install/command.py",
        "commands/register/command.py",
        "host/credentials.py",
    }


def test_what_stages_load_has_its_own_dataclasses() -> None:
    """Each of the standard library costs every process of a job a third of a millisecond."""
    for file in PACKAGE.rglob("*.py"):
        if {"local", "commands"} & set(file.relative_to(PACKAGE).parts):
            continue
        body = ast.parse(file.read_text(encoding="utf-8")).body

        loaded = {each.module for each in body if isinstance(each, ast.ImportFrom)}

        assert "dataclasses" not in loaded, f"{file}: see executor/dataclass.py"

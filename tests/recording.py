"""Has prepare note what it asks of the engine, and what that rests on.

A part of the tests has its prepare calls noted; with the directory of `laid_out` in the environment,
each call of a hook is, whoever makes it.
"""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

RECORDER = "DIND_EXECUTOR_TESTS_RECORDER"
"""The variable that names a directory of `laid_out`."""
EACH = 5
"""Of so many tests one is compared, unless all are asked for."""

_REPOSITORY = Path(__file__).parents[1]
_NOTES, _TALLY = "notes", "tally.jsonl"

_RECORD = """\
import fcntl, json, os, signal, sys, time
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
if os.path.isdir(note):
    note = f"{note}/{time.monotonic_ns()}-{os.getpid()}.jsonl"
descriptor = os.open(f"{note}-begun", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)  # until this process ends, however it does
os.rename(f"{note}-begun", note)
def write(**what):
    os.write(descriptor, (json.dumps(what) + "\\n").encode())
def text(path):
    try:
        return open(path, encoding="utf-8").read()
    except (OSError, ValueError):
        return None
from dataclasses import asdict
from executor import cli
stage = cli._stage
def noted_stage(name, args, env, log):
    from executor.reading import settings_path
    try:
        path = settings_path(args)
    except Exception:
        path = ""
    write(
        kind="call",
        environ=dict(os.environ),
        payload=text(os.environ.get("JOB_RESPONSE_FILE", "")),
        settings=text(path) if path else None,
        settings_path=path,
    )
    try:
        stage(name, args, env, log)
    except BaseException as error:
        write(kind="error", type=type(error).__name__, sentence=str(error))
        raise
cli._stage = noted_stage
from executor.engine import streams
from executor.engine.api import Api
def noting(name, real):
    def noted(self, path, *given, **more):
        if path.partition("?")[0].endswith("/create"):
            body = given[0] if given else more.get("body")
            write(kind="request", path=path, body=body, auth=False)
        return real(self, path, *given, **more)
    setattr(Api, name, noted)
noting("post", Api.post)
stream = streams.stream
def noted_stream(api, path, headers=None, **more):
    if path.startswith("/images/create"):
        write(kind="request", path=path, body=None, auth=bool(headers))
    return stream(api, path, headers, **more)
streams.stream = noted_stream
from executor.engine.docker import Engine
from executor.plan import environment
connect, pull, image, load = Engine.connect, Engine.pull, Engine.image, Engine.load_image
def connected(self):
    connect(self)
    api = ".".join(map(str, self.api_version))
    write(kind="engine", api=api, architecture=self.architecture)
Engine.connect = connected
def known(name, platform, facts):
    if facts:
        left = {"instead_of", "moved"}
        write(
            kind="image",
            name=f"{name} {platform}".rstrip(),
            facts={key: each for key, each in asdict(facts).items() if key not in left},
        )
    return facts
Engine.pull = lambda self, what, *given: known(
    what.image, what.platform, pull(self, what, *given)
)
Engine.image = lambda self, name: known(name, "", image(self, name))
Engine.load_image = lambda self, path, name: known(name, "", load(self, path, name))
plan = environment.plan_environment
def planned(inputs, images, sidecar, facts):
    around = asdict(facts.surroundings)
    around["authorities"] = {name: each.decode() for name, each in facts.surroundings.authorities}
    write(
        kind="facts",
        surroundings=around,
        builds_are_taken=facts.builds_are_taken,
        docker_host_is_elsewhere=facts.docker_host_is_elsewhere,
        network_is_taken=facts.kept_network is None,
        generation=inputs.generation,
    )
    return plan(inputs, images, sidecar, facts)
environment.plan_environment = planned
from executor.stages.prepare.layers import KeptLayers
taken_by = KeptLayers._taken_by
def taken(self, store):
    other = taken_by(self, store)
    write(kind="layers", layers_are_taken=bool(other))
    return other
KeptLayers._taken_by = taken
from executor.stages.prepare.containers import Containers
start_all = Containers.start_all
def started(self, *given, **more):
    start_all(self, *given, **more)
    write(kind="done")
Containers.start_all = started
"""
_PREPARE = """\
if sys.argv[1:2] != ["prepare"]:
    sys.argv.insert(1, "prepare")
from executor.__main__ import main
main()
"""

_HOOK = """\
#!/bin/sh
trap '' QUIT
if [ $((CUSTOM_ENV_CI_JOB_ID % {each})) = 0 ]; then
    exec {python} -I {directory}/recorder.py "$@"
fi
exec {hooks}/prepare "$@"
"""
_INTERPRETER = """\
#!/bin/sh
# What a hook takes for Python: -I -c PROGRAM STAGE ...  Some tests know a stage by these words.
if [ "$4" = prepare ]; then
    shift 3
    exec {python} -I -c 'from executor.names import LABEL; exec(open("{directory}/recorder.py").read())' "$@"
fi
exec {python} "$@"
"""


def program(note: Path, own: str = _PREPARE) -> tuple[str, ...]:
    """Return what stands in for the hook of prepare, and notes what it does.

    `note` is a file, or a directory for a file of each call; `own` is what the tests have instead.
    """
    return (sys.executable, "-I", "-c", text(note, own))


def recorded(given: Sequence[str], note: Path) -> tuple[str, ...]:
    """Return a program of a test's own that stands in for the hook of prepare, and notes too.

    One that calls the hook is left as it is.
    """
    words = tuple(given)
    if words[:3] == (sys.executable, "-I", "-c"):
        return (*program(note, words[3]), *words[4:])
    return words


def recording_hooks(directory: Path, real: Path) -> Path:
    """Return hooks whose prepare notes, for a share of the jobs, what it does."""
    directory.mkdir()
    for stage in ("config", "run", "cleanup"):
        hook = f'#!/bin/sh\ntrap "" QUIT\nexec {real}/{stage} "$@"\n'
        _write_program(directory / stage, hook)
    places = {"each": EACH, "python": sys.executable, "directory": directory, "hooks": real}
    _write_program(directory / "prepare", _HOOK.format(**places))
    _lay_recorder(directory)
    return directory


def laid_out(directory: Path) -> Path:
    """Return a directory with the hooks, for which all of prepare is noted; see `RECORDER`.

    The hooks are the real ones: what they take for Python tells prepare from other calls.
    """
    for hook in (_REPOSITORY / "hooks").iterdir():
        (directory / "hooks").mkdir(parents=True, exist_ok=True)
        _write_program(directory / "hooks" / hook.name, hook.read_text(encoding="utf-8"))
    (directory / "venv/bin").mkdir(parents=True, exist_ok=True)
    interpreter = _INTERPRETER.format(python=sys.executable, directory=directory)
    _write_program(directory / "venv/bin/python", interpreter)
    _lay_recorder(directory)
    return directory


def recorder() -> Path | None:
    """Return the directory of `laid_out` by which the tests run, if they do."""
    named = os.environ.get(RECORDER)
    return Path(named) if named else None


def notes_of(directory: Path) -> Path:
    """Return where the calls are noted."""
    return directory / _NOTES


def tally_of(directory: Path) -> Path:
    """Return where is written what became of each call."""
    return directory / _TALLY


def _lay_recorder(directory: Path) -> None:
    notes_of(directory).mkdir(exist_ok=True)
    (directory / "recorder.py").write_text(text(notes_of(directory)), encoding="utf-8")


def text(note: Path, own: str = _PREPARE) -> str:
    """Return a program that notes what prepare does; `own` is what the tests have instead of prepare."""
    return f"note = {str(note)!r}\n{_RECORD}{own}"


def _write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)

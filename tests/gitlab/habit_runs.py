"""Inputs of `habits`, run through gitlab-runner by the Docker executor and by dind-executor."""

import contextlib
import json
import re
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.errors import DockerException

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import read_checkout
from executor.local.project.variables import Variable
from tests import git, toml
from tests.gitlab import leftovers, runner, server
from tests.gitlab.habits import DOCKER, OURS, Ended, Habit
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed, project_variables
from tests.rig.paths import PROJECT_FILES
from tests.rig.state import Rig
from tests.web import Answer, Request, Server

REPOSITORY = Path(__file__).parents[2]
IMAGES = "habits"
_JOB_SECONDS = 240
# A job may wait for others of its runner.
_MOST_SECONDS = 3600
_FAILED = "migrate has failed"
# What only the site's resolver knows.
SITE_NAME, _SITE_ADDRESS = "name.of.the.site.test", "192.0.2.7"

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One executor; `hooks` of dind-executor, none of the Docker executor."""

    name: str
    hooks: Path | None = None

    @property
    def judged_as(self) -> str:
        """Whose end of an input is the one to expect."""
        return DOCKER if self.hooks is None else OURS


@dataclass(frozen=True, slots=True)
class Site:
    """What the inputs refer to, and where a run keeps its files."""

    rig: Rig
    directory: Path
    registry: str

    def words(self, host: Path) -> Mapping[str, str]:
        """Return the values of the words that may stand in an input."""
        rig = self.rig
        alpine = f"{rig.hub}/library/alpine" if rig.images == "debian" else "alpine"
        debian = f"{rig.hub}/library/debian:bookworm" if rig.images == "debian" else "debian:12"
        return {
            "@HOST@": str(host),
            "@HUB@": rig.hub,
            "@GITLAB@": rig.gitlab,
            "@PROXY@": rig.proxy_prefix,
            "@ADDRESS@": rig.address,
            "@ALPINE@": alpine,
            "@DEBIAN@": debian,
            "@PRIVATE@": f"{rig.gitlab}/group/project/docker:20.10.16",
            "@SOCKET@": rig.engine_host.removeprefix("unix://"),
            "@ODD_REGISTRY@": self.registry,
            "@SITE_NAME@": SITE_NAME,
            "@CA@": str(rig.ca),
            "@HELPER@": rig.helper_image,
            "@MIRROR@": rig.mirror or f"https://{rig.hub}",
            "@WAIT@": "n=0; until docker version >/dev/null 2>&1 || [ $n = 40 ];"
            " do n=$((n+1)); sleep 0.5; done",
        }


def filled(value: object, words: Mapping[str, str]) -> Any:
    """Return a value of an input with its words replaced."""
    if isinstance(value, str):
        return re.sub(r"@[A-Z_]+@", lambda match: words[match[0]], value)
    if isinstance(value, Mapping):
        return {filled(key, words): filled(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, words) for each in value]
    return value


def at_site(habit: Habit, place: Site) -> Habit:
    """Return an input whose ends are told in the words of this site."""
    words = place.words(place.directory)
    right, by_docker, by_ours = (
        end
        and replace(
            end,
            says=filled(list(end.says), words),
            never=filled(list(end.never), words),
            migrate=filled(list(end.migrate), words),
        )
        for end in (habit.right, habit.by_docker, habit.by_ours)
    )
    assert right is not None
    return replace(habit, right=right, by_docker=by_docker, by_ours=by_ours)


# --- the site ------------------------------------------------------------------------------------


@contextlib.contextmanager
def site(rig: Rig, directory: Path, inputs: Iterable[Habit]) -> Iterator[Site]:
    """Have what inputs need around them: their images, a registry that answers oddly, a resolver."""
    odd = Server(("127.0.0.1", 0), _answer_oddly)
    inputs = list(inputs)
    asks = any("dns" in habit.administrator.docker for habit in inputs)
    resolver = _resolver(rig.address) if asks else contextlib.nullcontext()
    with odd.serving(), resolver:
        found = Site(rig, directory, f"127.0.0.1:{odd.server_port}")
        with _images(found, inputs):
            yield found


def _answer_oddly(request: Request) -> Answer:
    """Answer as registries do that are none of Docker's: by what is asked for."""
    found = re.fullmatch(r"/v2/([\w-]+)/manifests/\S+", request.path)
    if found is None:
        return Answer(HTTPStatus.OK, b"{}", {"Content-Type": "application/json"})
    status, code, message = {
        "login": (401, "UNKNOWN", "Authentication is required"),
        "old": (400, "UNKNOWN", "Docker Image Format v1 is no longer supported"),
        "forbidden": (403, "DENIED", "access forbidden"),
        "busy": (503, "UNAVAILABLE", "the registry is being maintained"),
        "limited": (429, "TOOMANYREQUESTS", "You have reached your pull rate limit"),
    }[found[1]]
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Answer(HTTPStatus(status), body, {"Content-Type": "application/json"})


@contextlib.contextmanager
def _resolver(address: str) -> Iterator[None]:
    """Answer for one name on the DNS port of the rig's address, and deny all others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asked.bind((address, 53))
        asked.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    question, sender = asked.recvfrom(4096)
                    asked.sendto(_answer_of_resolver(question), sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _answer_of_resolver(question: bytes) -> bytes:
    labels, place = [], 12
    while question[place]:
        labels.append(question[place + 1 : place + 1 + question[place]].decode().lower())
        place += question[place] + 1
    asked = question[12 : place + 5]
    kind = struct.unpack(">H", question[place + 1 : place + 3])[0]
    is_known = ".".join(labels) == SITE_NAME
    found = is_known and kind == 1
    head = question[:2] + struct.pack(">HHHHH", 0x8580 | (0 if is_known else 3), 1, found, 0, 0)
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(_SITE_ADDRESS)
    return head + asked + (record if found else b"")


@contextlib.contextmanager
def _images(place: Site, inputs: Iterable[Habit]) -> Iterator[None]:
    """Build the images of inputs on the engine, and remove them in the end."""
    client = docker.DockerClient(base_url=place.rig.engine_host)
    words = place.words(place.directory)
    made: list[str] = []
    try:
        for name in ("docker:26.1-cli", "docker:20.10.16", "docker:26.1-dind", "alpine", "busybox"):
            client.images.pull(*(name.split(":") if ":" in name else (name, "latest")))
        for habit in inputs:
            for name, text in habit.images.items():
                tag = f"{IMAGES}/{name}"
                if tag not in made:
                    file = BytesIO(filled(text, words).encode())
                    client.images.build(
                        fileobj=file, tag=tag, rm=True, forcerm=True, network_mode="none"
                    )
                    made.append(tag)
        yield
    finally:
        for tag in reversed(made):
            with contextlib.suppress(DockerException):
                client.images.remove(tag, force=True)
        client.close()


# --- runners -------------------------------------------------------------------------------------


def groups(inputs: Sequence[Habit]) -> list[list[Habit]]:
    """Return the inputs together that one runner can do: those of the same settings."""
    found: dict[str, list[Habit]] = {}
    for habit in inputs:
        own = habit.name if habit.host or habit.administrator.migrated else ""
        key = json.dumps([repr(habit.administrator), own])
        found.setdefault(key, []).append(habit)
    return list(found.values())


def run(
    place: Site,
    inputs: Sequence[Habit],
    sides: Sequence[Side],
    told: Callable[[Side, Habit, Ended], None],
    *,
    concurrent: int = 2,
) -> None:
    """Run every input on every side, and tell how each ended."""
    lock = threading.Lock()

    def tell(side: Side, habit: Habit, ended: Ended) -> None:
        with lock:
            told(side, at_site(habit, place), ended)

    with ThreadPoolExecutor(max(1, len(sides))) as pool:
        for number, group in enumerate(groups([each for each in inputs if each.local is None])):
            calls = [
                pool.submit(_run_group, place, group, side, number, concurrent, tell)
                for side in sides
            ]
            for call in calls:
                call.result()
    for number, habit in enumerate(each for each in inputs if each.local is not None):
        for side in sides:
            if side.hooks is not None:
                tell(side, habit, _run_local(place, habit, side, number))


def _run_group(
    place: Site,
    group: Sequence[Habit],
    side: Side,
    number: int,
    concurrent: int,
    tell: Callable[[Side, Habit, Ended], None],
) -> None:
    """Run inputs of the same settings, and tell of each as it ends; again if it leaves something."""
    directory = Path(tempfile.mkdtemp(prefix=f"{side.name}-{number}-", dir=place.directory))
    host = directory / "host"
    words = place.words(host)
    for path, text in filled(group[0].host, words).items():
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(text, encoding="utf-8")
    before = _tree(host)
    table, said = _registration(place, group[0], side, directory, words)
    if said is not None and said.startswith(_FAILED):
        for habit in group:
            tell(side, habit, Ended("failed", 2, said, migrate=said))
        return
    ended: list[tuple[Habit, Job, Ended]] = []
    with server.serving(directory / "repositories", place.rig.address) as gitlab:
        checkout = read_checkout(git.copied(PROJECT_FILES, directory / "project"))
        with runner.working(gitlab, table, directory / "runner", concurrent=concurrent):
            jobs = [
                (habit, _start(Pushed(gitlab, checkout), place, habit, words, index))
                for index, habit in enumerate(group)
            ]
            for habit, job in jobs:
                ended.append((habit, job, replace(_end_of(job), migrate=said)))
                if not habit.host:
                    tell(side, *ended[-1][::2])
        left = {job.id: leftovers.of_jobs(place.rig.engine_host, [job]) for _, job in jobs}
        leftovers.remove_of_jobs(place.rig.engine_host, gitlab.jobs())
        leftovers.remove_lasting(place.rig.engine_host, gitlab.runner_token)
        _remove_volumes(place.rig, gitlab.runner_token)
    after = _tree(host)
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    for habit, job, each in ended:
        remains = [f"on the host: {path}" for path in changed if path not in habit.written]
        remains += [f"on the engine: {name}" for name in left[job.id]]
        if habit.host or remains:
            tell(side, habit, replace(each, remains=remains))


def _end_of(job: Job) -> Ended:
    with contextlib.suppress(TimeoutError):
        job.wait(_MOST_SECONDS)
    return Ended.of(job)


def _start(pushed: Pushed, place: Site, habit: Habit, words: Mapping[str, str], index: int) -> Job:
    rig = place.rig
    given = project_variables(rig.variables()) if habit.logins else ()
    own = project_variables(
        {"OWN_USER": rig.deploy_user.name, "OWN_PASSWORD": rig.deploy_user.password}
    )
    plain = [Variable(key, value) for key, value in filled(habit.variables, words).items()]
    masked = [
        Variable(key, value, public=False, masked=True, raw=True)
        for key, value in filled(habit.masked, words).items()
    ]
    text = yaml.safe_dump(filled(dict(habit.pipeline), words), sort_keys=False)
    pipeline = parse_pipeline(text, habit.name)
    pushed = replace(
        pushed, variables=(*given, *own, *plain, *masked), timeout_seconds=_JOB_SECONDS
    )
    # Each job is one of another project, so that it finds nobody's volumes.
    facts = pushed.facts(pipeline)
    facts = replace(facts, project=replace(facts.project, id=index + 1))
    (definition,) = pushed.jobs_of(pipeline, facts).values()
    return pushed.start(definition, facts)


def _registration(
    place: Site, habit: Habit, side: Side, directory: Path, words: Mapping[str, str]
) -> tuple[Table, str | None]:
    """Return a side's runner, and what `migrate` has said of it."""
    administrator = filled_administrator(habit, words)
    if side.hooks is None:
        return _docker(place.rig, administrator), None
    settings = directory / "settings.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    said = None
    if habit.administrator.migrated:
        tables, said = _migrated(place, administrator, side, directory)
    else:
        tables = tomllib.loads(place.rig.settings.read_text(encoding="utf-8"))
        tables["docker"]["pull_policy"] = "if-not-present"
        tables["docker"] |= administrator["docker"]
        tables["dind"] |= administrator["dind"]
    tables["log"] = {"destination": "file", "path": str(directory / "dind-executor.jsonl")}
    settings.write_text(toml.dumps(tables), encoding="utf-8")
    dropped = habit.administrator.dropped
    environment = [
        each
        for each in administrator["runner"].get("environment", [])
        if each.partition("=")[0] not in dropped
    ]
    more = {**administrator["runner"], "environment": environment}
    return {**runner.custom(settings, side.hooks), **more}, said


def filled_administrator(habit: Habit, words: Mapping[str, str]) -> Table:
    """Return the administrator's tables of an input with their words replaced."""
    given = habit.administrator
    tables = {"runner": given.runner, "docker": given.docker, "dind": given.dind}
    found: Table = filled(tables, words)
    return found


def _docker(rig: Rig, administrator: Table) -> Table:
    table = runner.docker(
        rig.engine_host,
        image="docker:26.1-cli",
        helper_image=rig.helper_image,
        runtime=rig.runtime,
        privileged=True,
    )
    options = table["docker"]
    assert isinstance(options, dict)
    given = dict(administrator["docker"])
    # What the usual settings have stays, as an administrator of dind has it.
    own = given.pop("volumes", [])
    taken = {_destination(volume) for volume in own}
    volumes = [each for each in options["volumes"] if _destination(each) not in taken] + own
    usual = {**options, "pull_policy": ["if-not-present"], "volumes": volumes}
    return {**table, **administrator["runner"], "docker": {**usual, **given}}


def _destination(volume: str) -> str:
    """Return where in a container an entry of `volumes` is."""
    _, _, rest = volume.partition(":")
    return rest.partition(":")[0] or volume


def _migrated(place: Site, administrator: Table, side: Side, directory: Path) -> tuple[Table, str]:
    """Return the settings that `migrate` writes, and what it says; the rig's needs are added."""
    config = directory / "config.toml"
    entry = {**_docker(place.rig, administrator), "name": "tests", "url": "http://x", "token": "t"}
    config.write_text(toml.dumps({"concurrent": 2, "runners": [entry]}), encoding="utf-8")
    output = directory / "migrated.toml"
    done = subprocess.run(
        [*_program(side), "migrate", str(config), "--runner", "tests", "--output", str(output)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {}, f"{_FAILED}: {done.stdout}{done.stderr}"
    tables: Table = tomllib.loads(output.read_text(encoding="utf-8"))
    dind = tables.setdefault("dind", {})
    dind.setdefault("image", place.rig.dind_image)
    dind |= administrator["dind"]
    if place.rig.runtime is not None:
        dind.setdefault("runtime", place.rig.runtime)
    return tables, done.stderr + done.stdout


def _program(side: Side) -> list[str]:
    """Return the command of a side: the installation's that its hooks belong to, or this one's."""
    assert side.hooks is not None
    # An installation has its version there, a clone its virtual environment.
    places = (side.hooks.parent / each / "bin" / "python" for each in ("current", "venv"))
    python = next((each for each in places if each.exists()), Path(sys.executable))
    return [str(python), "-I", "-m", "executor"]


def _run_local(place: Site, habit: Habit, side: Side, number: int) -> Ended:
    """Run `dind-executor local` in a project of its own."""
    assert side.hooks is not None
    assert habit.local is not None
    directory = Path(tempfile.mkdtemp(prefix=f"local-{side.name}-{number}-", dir=place.directory))
    project = git.copied(PROJECT_FILES, directory / "project")
    for path, text in filled(habit.project, place.words(directory)).items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
    git.commit(project, "Add a pipeline")
    command = [*_program(side), "local", *habit.local, "--hooks", str(side.hooks)]
    command += ["--settings", str(place.rig.settings), "--listen", place.rig.address]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    state = "success" if done.returncode == 0 else "failed"
    log = done.stdout + done.stderr
    return Ended(state, done.returncode, log, time.monotonic() - begun)


def _tree(directory: Path) -> Mapping[str, tuple[object, ...]]:
    """Return what lies below a directory of the host: kinds, owners, modes, times and bytes."""
    found = {}
    for path in sorted(directory.rglob("*")):
        entry = path.lstat()
        content: object = b""
        if stat.S_ISLNK(entry.st_mode):
            content = path.readlink()
        elif stat.S_ISREG(entry.st_mode):
            content = path.read_bytes()
        owner = (entry.st_uid, entry.st_gid)
        name = str(path.relative_to(directory))
        found[name] = (entry.st_mode, *owner, entry.st_mtime_ns, content)
    return found


def _remove_volumes(rig: Rig, token: str) -> None:
    """Remove the volumes that are kept for a project's next job."""
    short = token.removeprefix("glrt-")[:9].lower()
    client = docker.APIClient(base_url=rig.engine_host, version="auto")
    with contextlib.closing(client):
        for volume in client.volumes()["Volumes"] or ():
            if short in volume["Name"].lower():
                with contextlib.suppress(DockerException):
                    client.remove_volume(volume["Name"])

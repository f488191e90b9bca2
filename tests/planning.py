"""What prepare asks of the engine, recorded, and compared with what `dind-executor plan` says.

A test whose turn it is has its prepare calls run by `PROGRAM`, which does what the hook does and notes
what the engine is asked and what the plan rests on.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

from executor.bounds import toml_table
from executor.commands.plan.command import Look, read_job_of, whole
from executor.commands.plan.document import shown_request
from executor.commands.plan.facts import read_facts
from executor.commands.plan.given import Given
from executor.commands.plan.planning import Planned, plan_job
from executor.errors import ExecutorError, JobPayloadError
from executor.names import DEADLINE_LABEL, OWNER_CONTAINER_LABEL, OWNER_LABEL, TEMP_DIR_LABEL
from executor.notation.claims import CLAIM_LABEL, USES_LABEL
from executor.plan.credentials import resolve
from executor.reading import read_inputs
from executor.settings.file import settings_of

EACH = 5
"""Of so many tests one is compared, unless all are asked for."""

_BEGIN = 60
"""How much of a sentence must be the same: a long one is cut in a job log."""
_OF_THE_CALL = (DEADLINE_LABEL, OWNER_CONTAINER_LABEL, OWNER_LABEL, TEMP_DIR_LABEL)
"""Labels that say who prepares a job and when."""

PROGRAM = """\
import json, os, signal, sys
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
note = sys.argv.pop(1)
def write(**what):
    descriptor = os.open(note, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(what) + "\\n").encode())
    os.close(descriptor)
settings = sys.argv[sys.argv.index("--settings") + 1]
def text(path):
    try:
        return open(path, encoding="utf-8").read()
    except (OSError, ValueError):
        return None
write(
    kind="call",
    environ=dict(os.environ),
    payload=text(os.environ.get("JOB_RESPONSE_FILE", "")),
    settings=text(settings),
)
from dataclasses import asdict
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
sys.argv.insert(1, "prepare")
from executor.__main__ import main
main()
"""


@dataclass
class Turn:
    """Whether the test that runs has its prepare calls recorded, and where."""

    directory: Path | None = None
    number: int = 0
    compared: int = 0

    def next(self) -> Path | None:
        """Return where the next call is noted; None where it is not."""
        if self.directory is None:
            return None
        self.number += 1
        return self.directory / f"prepare-{self.number}.jsonl"


TURN = Turn()


def has_turn(nodeid: str, *, whole: bool) -> bool:
    """Tell whether a test is compared."""
    return whole or crc32(nodeid.encode()) % EACH == 0


def program(note: Path) -> tuple[str, ...]:
    """Return what stands in for the hook of prepare."""
    return (sys.executable, "-I", "-c", PROGRAM, str(note))


_HOOK = """\
#!/bin/sh
trap '' QUIT
if [ $((CUSTOM_ENV_CI_JOB_ID % {each})) = 0 ]; then
    exec {python} -I {directory}/recorder.py "$(mktemp {directory}/XXXXXX.jsonl)" "$@"
fi
exec {hooks}/prepare "$@"
"""


def recording_hooks(directory: Path, real: Path, *, whole: bool) -> Path:
    """Return hooks whose prepare notes what it does, for each job or for a share of them."""
    directory.mkdir()
    (directory / "recorder.py").write_text(PROGRAM, encoding="utf-8")
    for stage in ("config", "run", "cleanup"):
        text = f'#!/bin/sh\ntrap "" QUIT\nexec {real}/{stage} "$@"\n'
        (directory / stage).write_text(text, encoding="utf-8")
    text = _HOOK.format(
        each=1 if whole else EACH, python=sys.executable, directory=directory, hooks=real
    )
    (directory / "prepare").write_text(text, encoding="utf-8")
    for stage in ("config", "prepare", "run", "cleanup"):
        (directory / stage).chmod(0o755)
    return directory


def compare_all(directory: Path) -> None:
    """Compare what the hooks of a directory have noted, and forget it."""
    for note in sorted(directory.glob("*.jsonl")):
        try:
            compare(note)
        finally:
            note.unlink()


def compare(note: Path, stderr: str | None = None) -> None:
    """Assert that a plan says what a call of prepare has asked for, as far as that came.

    `stderr` is what the call has printed there, if that is known.
    """
    text = note.read_text(encoding="utf-8") if note.exists() else ""
    noted = [json.loads(each) for each in text.splitlines()]
    kinds = {each["kind"] for each in noted}
    if "call" not in kinds:
        return  # killed before it began
    (call,) = (each for each in noted if each["kind"] == "call")
    found = _planned(call, noted)
    if isinstance(found, ExecutorError):
        assert "done" not in kinds, f"plan refuses what prepare made: {found}"
        if stderr is not None and not isinstance(found, JobPayloadError):  # which names its file
            assert str(found).splitlines()[0][:_BEGIN] in stderr, found
        return
    if "facts" not in kinds:
        return  # it ended before it planned: at a full disk, a registry or an engine
    plan, document = found
    requests = [each for each in noted if each["kind"] == "request"]
    _compare_requests(plan.requests, document, requests, whole="done" in kinds)
    _compare_pulls(plan, requests)
    TURN.compared += 1


def _planned(call: Mapping[str, Any], noted: list[dict[str, Any]]) -> Any:
    """Return the plan and its document, or why there is none."""
    known: dict[str, Any] = {"images": {}}
    for each in noted:
        if each["kind"] == "image":
            known["images"][each["name"]] = each["facts"]
        elif each["kind"] in {"engine", "facts", "layers"}:
            known |= {key: value for key, value in each.items() if key != "kind"}
    environ = call["environ"]
    values = {
        key.removeprefix("CUSTOM_ENV_"): value
        for key, value in environ.items()
        if key.startswith("CUSTOM_ENV_")
    }
    path = os.environ["PATH"]
    os.environ["PATH"] = environ["PATH"]  # for the administrator's credential helpers
    try:
        facts = read_facts(known)
        table = toml_table(call["settings"])
        given = Given(json.loads(call["payload"] or "null"), values)
        basics, env, said = read_job_of(given, settings_of(table, ""), environ)
        look = Look(read_inputs(env, basics), facts, said)
        return plan_job(look.inputs, facts), whole(look, table, decides=False)
    except (ExecutorError, ValueError, TypeError) as error:
        return error if isinstance(error, ExecutorError) else JobPayloadError(str(error))
    finally:
        os.environ["PATH"] = path


def _compare_requests(
    planned: Mapping[str, Mapping[str, Any]],
    document: Mapping[str, Any],
    requests: list[dict[str, Any]],
    *,
    whole: bool,
) -> None:
    asked = _asked(requests)
    wanted = {name: _comparable(each) for name, each in planned.items()}
    shown = {name: _comparable(each) for name, each in document["requests"].items()}
    network = f"network/{document['network']['name']}"
    for each in (wanted, shown, asked):  # the engine or an earlier attempt may choose others
        each.get(network, {}).pop("IPAM", None)
    for name, body in asked.items():
        if name.startswith("volume/") and name not in wanted:
            assert name.removeprefix("volume/") in document["volumes"], name
            continue
        assert name in wanted, f"prepare asked for {name}, which is not planned"
        found = _by_name(_comparable(body), network.removeprefix("network/"))
        assert found == wanted[name], name
        assert shown_request(found) == shown[name], name
    if whole:
        sidecar = document["docker_daemon"] or {"optional": False}
        may_miss = {each for each in wanted if each.endswith("-dind") and sidecar["optional"]}
        assert {each for each in wanted if each not in asked} <= may_miss


def _asked(requests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what was asked for, by kind and name, without claims."""
    asked: dict[str, dict[str, Any]] = {}
    for each in requests:
        path, body = urlsplit(each["path"]), each["body"]
        kind = path.path.split("/")[1].removesuffix("s")
        if kind not in {"container", "network", "volume"}:
            continue
        labels = body["Labels"]
        if CLAIM_LABEL in labels or USES_LABEL in labels:
            continue
        name = parse_qs(path.query)["name"][0] if kind == "container" else body["Name"]
        if kind == "network":
            asked.pop(f"{kind}/{name}", None)  # another one's addresses were taken
        asked.setdefault(f"{kind}/{name}", body)  # a later container takes the first one's place
    return asked


def _compare_pulls(plan: Planned, requests: list[dict[str, Any]]) -> None:
    planned = {
        f"{each.image} {each.platform}".rstrip(): resolve(each.image, plan.inputs.catalogue)
        for each in plan.pulls
    }
    for each in requests:
        if "/images/create?fromImage=" not in each["path"]:
            continue
        query = parse_qs(urlsplit(each["path"]).query)
        name = " ".join((query["fromImage"][0], *query.get("platform", ())))
        assert name in planned, f"prepare pulled {name}, which is not planned"
        assert each["auth"] == (planned[name] is not None), name


def _comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request without what says who prepares the job."""

    def kept(table: dict[str, Any]) -> dict[str, Any]:
        return {key: each for key, each in table.items() if key not in _OF_THE_CALL}

    found: dict[str, Any] = json.loads(json.dumps(body), object_hook=kept)
    return found


def _by_name(body: dict[str, Any], network: str) -> dict[str, Any]:
    """Return a container's request with the network's name, where the engine was told its id."""
    endpoints = body.get("NetworkingConfig", {}).get("EndpointsConfig", {})
    for known in list(endpoints):
        body["NetworkingConfig"]["EndpointsConfig"] = {network: endpoints[known]}
        body["HostConfig"]["NetworkMode"] = network
    return body

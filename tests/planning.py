"""What prepare asks of the engine, recorded, and compared with what `dind-executor plan` says.

What `tests.recording` has noted of a call is planned again, with what the call had: the payload, the
environment, the settings, and what the engine told.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterable, Mapping
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
from executor.errors import ExecutorError, JobPayloadError, SettingsError
from executor.names import DEADLINE_LABEL, OWNER_CONTAINER_LABEL, OWNER_LABEL, TEMP_DIR_LABEL
from executor.notation.claims import CLAIM_LABEL, USES_LABEL
from executor.plan.credentials import resolve
from executor.reading import read_inputs
from executor.settings.file import settings_of
from tests.gitlab.jobs import Job
from tests.recording import EACH, notes_of, recorder, tally_of

EQUAL = "equal"
"""All that prepare asked for is what the plan has, and nothing else is planned."""
EQUAL_SO_FAR = "equal as far as prepare came"
"""The same of a prepare that failed or was ended while it made what was planned."""
REFUSED = "refused in the same words"
"""Neither plan nor prepare accepts the job, and both say the same sentence."""
ENDED_BEFORE = "ended before it planned"
"""prepare failed or was ended before; what it had pulled by then is what the plan has."""
DIFFERENT = "different"
NOTHING = "refused, as there is nothing to plan"
"""prepare had no settings, or no payload that is JSON, and said so."""
UNSEEN = "not noted"
"""A runner has taken a job from GitLab, and no prepare of it has been noted."""
ANOTHER = "of another executor"
UNCALLED = "taken from GitLab, and never prepared"
NOT_OURS = (ANOTHER, UNCALLED)
_FIRST_WORDS = b"Using dind-executor"
"""What prepare prints first."""
COMPARED = (EQUAL, EQUAL_SO_FAR, REFUSED)

_MET = {
    "Cancelled",
    "EngineRefused",
    "EngineUnavailable",
    "ImageUnavailable",
    "PullInterrupted",
    "RegistryDown",
    "ResourceExhausted",
    "OSError",
}
"""Errors that a plan cannot foresee: they are met while something is done."""
_MET_ELSEWHERE = ("failed to pull image ", "`[disk] floor` and `headroom` want ")
"""What errors of other kinds say that are met likewise: at a registry, and at the host's disks."""
_OF_THE_CALL = (DEADLINE_LABEL, OWNER_CONTAINER_LABEL, OWNER_LABEL, TEMP_DIR_LABEL)
"""Labels that say who prepares a job and when."""


@dataclass
class Turn:
    """Whether the test that runs has its prepare calls recorded, and where."""

    directory: Path | None = None
    has_come: bool = False
    number: int = 0

    def next(self) -> Path | None:
        """Return where the next call is noted; None where it is not."""
        if self.directory is None or not self.has_come:
            return None
        self.number += 1
        return self.directory / f"prepare-{self.number}.jsonl"


TURN = Turn()
_ONE_AT_A_TIME = threading.RLock()
_SEEN: set[str] = set()
"""The tokens of the jobs whose prepare has been compared, or could not be."""


def has_turn(nodeid: str) -> bool:
    """Tell whether a test is compared; where each call is noted, no test has a turn of its own."""
    return recorder() is None and crc32(nodeid.encode()) % EACH == 0


def compare_all(directory: Path) -> None:
    """Compare what is noted below a directory of the calls that have ended, and forget it."""
    for note in sorted(directory.glob("*.jsonl")):
        with _ONE_AT_A_TIME:  # a test may have threads, each with a job
            if note.exists() and not _goes_on(note):
                try:
                    compare(note)
                finally:
                    note.unlink()


def compare_recorded() -> None:
    """Compare all calls that have ended, where each one is noted."""
    if directory := recorder():
        compare_all(notes_of(directory))


def compare(note: Path) -> None:
    """Assert that a plan says what a call of prepare has asked for, as far as that came."""
    text = note.read_text(encoding="utf-8") if note.exists() else ""
    noted = [json.loads(each) for each in text.splitlines()]
    calls = [each for each in noted if each["kind"] == "call"]
    if not calls:
        tell("", ENDED_BEFORE, "killed before it began")
        return
    job = calls[0]["environ"].get("CUSTOM_ENV_CI_JOB_ID", "")
    _SEEN.add(calls[0]["environ"].get("CUSTOM_ENV_CI_JOB_TOKEN", ""))
    errors = [each for each in noted if each["kind"] == "error"]
    why = errors[0]["type"] if errors else "killed"
    try:
        how = _compare(calls[0], noted, errors[0] if errors else None)
    except AssertionError as different:
        tell(job, DIFFERENT, str(different) or repr(different))
        raise
    tell(job, how, "" if how == EQUAL else why)


def tell(job: str, how: str, why: str = "") -> None:
    """Add what became of a call to the tally, if there is one."""
    directory = recorder()
    if directory is None:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    line = json.dumps({"test": test, "job": job, "how": how, "why": why})
    with tally_of(directory).open("a", encoding="utf-8") as tally:
        tally.write(f"{line}\n")


def miss_none(jobs: Iterable[Job]) -> None:
    """Add to the tally which of GitLab's jobs a runner had without a prepare that is noted."""
    compare_recorded()
    for job in jobs:
        if job.handed_out_at and job.token not in _SEEN:
            another = b"Preparing the" in job.trace and b'the "custom" executor' not in job.trace
            how = UNSEEN if _FIRST_WORDS in job.trace else ANOTHER if another else UNCALLED
            tell(str(job.id), how)


def _goes_on(note: Path) -> bool:
    """Tell whether the process that writes a note has not ended."""
    with note.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _compare(
    call: Mapping[str, Any], noted: list[dict[str, Any]], error: Mapping[str, str] | None
) -> str:
    """Return how the plan and a call of prepare agree; fails where they do not."""
    kinds = {each["kind"] for each in noted}
    if lacking := _lacking(call):
        assert error, f"prepare went on without {lacking}"
        assert error["type"] == lacking, error
        return NOTHING
    found = _planned(call, noted)
    if isinstance(found, ExecutorError):
        assert "done" not in kinds, f"plan refuses what prepare made: {found}"
        if error is None or _is_met(error):
            return ENDED_BEFORE
        told = error["sentence"].replace(call["environ"].get("JOB_RESPONSE_FILE", "-"), "PAYLOAD")
        assert (error["type"], told) == (type(found).__name__, str(found))
        return REFUSED
    plan, document = found
    requests = [each for each in noted if each["kind"] == "request"]
    _compare_pulls(plan, requests, whole="done" in kinds)
    if "facts" not in kinds:
        assert error is None or _is_met(error), f"prepare refuses what is planned: {error}"
        return ENDED_BEFORE
    _compare_requests(plan.requests, document, requests, whole="done" in kinds)
    return EQUAL if "done" in kinds else EQUAL_SO_FAR


def _is_met(error: Mapping[str, str]) -> bool:
    """Tell whether an error is one that a plan cannot foresee."""
    said = error["sentence"]
    return error["type"] in _MET or any(each in said for each in _MET_ELSEWHERE)


def _lacking(call: Mapping[str, Any]) -> str:
    """Return the error of a call that had no settings or no payload; "" where it had both."""
    try:
        json.loads(call["payload"] or "")
    except ValueError:
        return JobPayloadError.__name__
    return SettingsError.__name__ if call["settings"] is None else ""


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
    os.environ["PATH"] = environ.get("PATH", path)  # for the administrator's credential helpers
    try:
        facts = read_facts(known)
        table = toml_table(call["settings"])
        given = Given(json.loads(call["payload"]), values)
        settings = settings_of(table, call["settings_path"])
        basics, env, said = read_job_of(given, settings, environ)
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


def _compare_pulls(plan: Planned, requests: list[dict[str, Any]], *, whole: bool) -> None:
    planned = {
        f"{each.image} {each.platform}".rstrip(): resolve(each.image, plan.inputs.catalogue)
        for each in plan.pulls
    }
    asked = set()
    for each in requests:
        if "/images/create?fromImage=" not in each["path"]:
            continue
        query = parse_qs(urlsplit(each["path"]).query)
        name = " ".join((query["fromImage"][0], *query.get("platform", ())))
        assert name in planned, f"prepare pulled {name}, which is not planned"
        assert each["auth"] == (planned[name] is not None), name
        asked.add(name)
    if whole:
        always = {
            f"{each.image} {each.platform}".rstrip()
            for each in plan.pulls
            if each.policies[0] == "always"
        }
        assert always <= asked, f"planned to be pulled, and not: {always - asked}"


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

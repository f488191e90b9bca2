"""What a sweep reads: labels, notes and payloads of dead jobs, and GitLab's answers."""

import contextlib
import json
import os

from hypothesis import strategies as st

from executor.engine.wire import as_table
from executor.host.owner import boot_id, this_host
from executor.log import AdministratorLog
from executor.notation.owner import NO_MACHINE, Belonging, Owner, parse_belonging, parse_note
from executor.runner import notes
from executor.sweep.answers import judge_end, judge_job, judge_trace, last_line
from executor.sweep.evidence import View, directory_seen
from executor.sweep.files import PAYLOAD, find_left, read_payload
from executor.sweep.jobs import put_together
from executor.sweep.options import Options
from executor.sweep.payload import UnusablePayload
from executor.sweep.proxy import UnknownProxy, proxy_for
from executor.sweep.state import recall, remember, states
from executor.sweep.unsigned import is_still_unsigned, with_what_is_known
from executor.sweep.verdict import Evidence, Life, judge
from tests.load.fuzz.bounds import check_output
from tests.load.fuzz.jobs import MASKED, PAYLOADS
from tests.load.fuzz.mutations import Json, documents, texts, words
from tests.load.fuzz.target import Target, World

_OWNERS = (
    Owner("MACHINE", "BOOT", "40404040", 1, 4711, local=True),
    Owner("m" * 32, "b" * 36, "4026531836", 812, 4711, local=True),
    Owner(NO_MACHINE, "b" * 36, "4026531836", 812, 4711, local=False),
    None,
)
_LABELS: list[Json] = [
    Belonging(
        "1-ab",
        "1",
        "2",
        each,
        "c@2026-01-01T00:00:00Z",
        "/tmp/x",
        1_800_000_000,
        "https://g.example",
    ).labels()
    for each in _OWNERS
]
_NOTES = [json.dumps(each) for each in _LABELS]
_TRACES = ('[["trace1", 5, 6]]', "[]")
_ANSWERS = ('{"id": 1, "status": "running"}', '{"message": "401 Unauthorized"}', "<html>")
_PROXIES = ("http://ada:pw@proxy.example:3128", "proxy:80", "https://p", "http://[::1]:80")
_EXCEPTIONS = ("a, .b,10.0.0.0/8,[::1]:80", "*", "gitlab.example.com:443")


def _belong(case: Json, _world: World) -> None:
    """Read the labels of an object, which somebody may have forged."""
    if isinstance(case, dict):
        parse_belonging(case)
    parse_note(json.dumps(case).encode())


def _look(case: Json, world: World) -> None:
    """Look at a directory that a job has left."""
    assert isinstance(case, dict)
    left = world.directory / "custom-executor1"
    left.mkdir(mode=0o700, exist_ok=True)
    for name, text in case.items():
        (left / name).write_bytes(text.encode(errors="surrogatepass"))
    for each in find_left(str(world.directory), "", {os.geteuid()}):
        try:
            read_payload(each)
        except UnusablePayload as error:
            check_output(str(error), secrets=(MASKED,))


def _look_unsigned(case: Json, world: World) -> None:
    """Look at a directory whose gitlab-runner was killed before config, or within it."""
    assert isinstance(case, dict)
    left = world.directory / "custom-executor1"
    left.mkdir(mode=0o700, exist_ok=True)
    for name, text in case.items():
        if text is not None:
            (left / name).write_bytes(text.encode(errors="surrogatepass"))
        else:
            (left / name).unlink(missing_ok=True)
    found = find_left(str(world.directory), "", {os.geteuid()})
    for job in put_together([], found):
        judge(Evidence((Life.GONE,), past_deadline=job.deadline is not None))
        _ = job.job_id, job.project_id, job.gitlab, job.temp_dirs, job.owners
        job.key.encode()
    for each in found:
        is_still_unsigned(each)
        try:
            with_what_is_known(read_payload(each), each, str(left))
        except UnusablePayload as error:
            check_output(str(error), secrets=(MASKED,))


def _sweep(case: Json, world: World) -> None:
    """Judge what an engine lists, as far as this host and a container tell."""
    here, text = this_host(), json.dumps(case)
    text = text.replace("MACHINE", here.machine).replace("BOOT", here.boot)
    text = text.replace("40404040", here.namespace)
    case = json.loads(text)
    assert isinstance(case, dict)
    listed = [("container", each) for each in case["listed"] if isinstance(each, dict)]
    container = as_table(case["container"])
    view = View(local=True, engine_host=lambda: ("a", "b"), container=lambda _: container)
    for found in put_together(listed):
        lives = tuple(view.life_of(*each) for each in found.owners)
        judge(Evidence(lives, stranger=found.stranger, past_deadline=found.deadline is not None))
        _ = found.created, found.job_id, found.project_id, found.gitlab, found.count("container")
        for path in found.temp_dirs:
            directory_seen("/proc/self/root", path)
    check_output(world.stdout.text(), world.stderr.text())


def _recall(case: Json, world: World) -> None:
    """Read what earlier sweeps left."""
    assert isinstance(case, str)
    text = case.replace("BOOT", boot_id())
    log = AdministratorLog("reap")
    options = Options(log, "unix:///none", "reap", state_dir=str(world.directory))
    remember(options, recall(options))
    for path in world.directory.glob("sweep-*.json"):
        path.write_bytes(text.encode(errors="surrogatepass"))
    remember(options, recall(options))
    states(str(world.directory))


def _judge(case: Json, _world: World) -> None:
    """Judge answers of GitLab, or of what stands in its place."""
    assert isinstance(case, dict)
    body = case["body"].encode(errors="surrogatepass")
    for status in (200, 401, 403, 416, 500):
        for outcome in (
            judge_job(status, case["type"], body, 1),
            judge_end(status, case["words"]),
            judge_trace(status, case["words"]).outcome,
        ):
            check_output(outcome.reason if outcome else "", secrets=(MASKED,))
    last_line(case["words"])


def _go(case: Json, _world: World) -> None:
    """Find the proxy that an environment names."""
    assert isinstance(case, dict)
    environ = {"HTTPS_PROXY": case["proxy"], "NO_PROXY": case["except"]}
    with contextlib.suppress(UnknownProxy):
        proxy_for("https", case["host"], 443, environ)


def _tables(**texts_by_name: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(texts_by_name).map(dict)


_STATE = json.dumps(
    {
        "version": 1,
        "boot": "BOOT",
        "at": 1.5,
        "memory": {
            "gone": {"1-ab": 2.5},
            "over": {"1-ab": 2},
            "ended": {},
            "stuck": {},
            "tries": {},
        },
    }
)
_LISTED: list[Json] = [
    {"Id": "a", "Names": ["/dind-executor-1-ab-build"], "Labels": each, "Created": 1_700_000_000}
    for each in _LABELS
]
_CONTAINERS: list[Json] = [{"State": {"StartedAt": "2026-01-01T00:00:00Z", "Running": True}}]

TARGETS = (
    Target(
        "listings",
        st.fixed_dictionaries(
            {
                "listed": st.lists(documents(_LISTED), max_size=4),
                "container": documents(_CONTAINERS),
            }
        ).map(dict),
        _sweep,
    ),
    Target("state", texts([_STATE]), _recall),
    Target("labels", documents(_LABELS), _belong),
    Target(
        "left",
        st.fixed_dictionaries(
            {
                PAYLOAD: texts([json.dumps(each) for each in PAYLOADS]),
                notes.OWNER: texts(_NOTES),
                notes.TRACES: texts(_TRACES),
                notes.AUTHORITIES: words(),
            }
        ).map(dict),
        _look,
    ),
    Target(
        "unsigned",
        st.fixed_dictionaries(
            {
                PAYLOAD: texts([json.dumps(each) for each in PAYLOADS]),
                notes.OWNER: st.none() | texts(_NOTES),
                notes.SYSTEM_ID: st.none() | words(),
            }
        ).map(dict),
        _look_unsigned,
    ),
    Target(
        "gitlab",
        _tables(
            type=texts(("application/json", "text/html; charset=utf-8")),
            body=texts(_ANSWERS),
            words=texts(("0-17", "failed", "runner.example.com")),
        ),
        _judge,
    ),
    Target(
        "proxies",
        _tables(
            proxy=texts(_PROXIES),
            host=texts(("gitlab.example.com", "10.0.0.1", "::1")),
            **{"except": texts(_EXCEPTIONS)},
        ),
        _go,
    ),
)

"""Secrets of a job show nowhere outside of it."""

import base64
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.calls import JobCalls
from tests.stages.conftest import Start
from tests.stages.request import JobRequest, Login, Variable, auths
from tests.stages.witness import Witness

CERTIFICATE = (
    "-----BEGIN PRIVATE KEY-----\nMIGkFileSecretLineOne0001\nFileSecretLineTwo0002\n-----END\n"
)


class Seen:
    """Where to look: every text in which something of a job was found outside of it."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    def add(self, place: str, text: str) -> None:
        """Add what was found at a place."""
        self._texts.setdefault(place, []).append(text)

    def places_of(self, secret: str) -> list[str]:
        """Return the places that show a secret."""
        return [place for place, texts in self._texts.items() if any(secret in t for t in texts)]

    def size(self, place: str) -> int:
        """Return how much was found at a place: none means that nobody looked."""
        return sum(len(text) for text in self._texts.get(place, []))


@contextmanager
def watching_processes(take: Callable[[str], None]) -> Iterator[None]:
    """Pass the command line of every process of this machine to `take`, again and again."""
    ended = threading.Event()

    def watch() -> None:
        known: set[bytes] = set()
        while not ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                if line not in known:
                    known.add(line)
                    take(line.decode(errors="replace"))
            ended.wait(0.005)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


@pytest.fixture(scope="module")
def logins(rig: Rig) -> list[Login]:
    """Return every login that the job has: the payload's two, and its own in two forms."""
    user, other = rig.ci_user, rig.deploy_user
    return [
        Login(rig.gitlab, user.name, user.password),
        Login(rig.proxy, user.name, user.password),
        Login("registry.example.com", "somebody", "payload-password-0003"),
        Login(f"{rig.gitlab}/group/other", other.name, other.password),
    ]


def secret_variables(logins: list[Login]) -> list[Variable]:
    """Return a variable of every kind that GitLab keeps from others, and one that leaks another."""
    config = auths(logins[3], Login("quay.example.com", "me", "variable-password-0004"))
    return [
        Variable("MASKED", "masked-value-0005", masked=True),
        Variable("HIDDEN", "hidden-value-0006", public=False),
        Variable("MASKED_FILE", "masked-file-0007", masked=True, file=True),
        Variable("HIDDEN_FILE", CERTIFICATE, public=False, file=True),
        Variable("RAW", "raw$value-0008", public=False, masked=True, raw=True),
        Variable("DOCKER_AUTH_CONFIG", config, public=False, masked=True),
        Variable("CI_REGISTRY_PASSWORD", logins[0].password, public=False, masked=True),
        Variable("PUBLIC", "https://user:masked-value-0005@example.com/"),
        Variable("NO_PROXY", "proxy-value-0011", masked=True),
        Variable("SHOWN", "shown-value-0009"),
    ]


def all_secrets(job: JobCalls, logins: list[Login]) -> list[str]:
    """Return every text that must not show: values, lines of files, encoded logins."""
    pairs = [f"{each.username}:{each.password}" for each in logins]
    return [
        job.request.token,
        "masked-value-0005",
        "hidden-value-0006",
        "masked-file-0007",
        "FileSecretLineOne0001",
        "FileSecretLineTwo0002",
        "raw$value-0008",
        "proxy-value-0011",
        "payload-password-0003",
        "variable-password-0004",
        *(each.password for each in logins),
        *(base64.b64encode(pair.encode()).decode() for pair in pairs),
        "-----BEGIN PRIVATE KEY",
        "-----BEGIN EC PRIVATE KEY",
    ]


@pytest.fixture(scope="module")
def job_and_traces(
    rig: Rig,
    start_standing: Start,
    witness: Witness,
    logins: list[Login],
) -> tuple[JobCalls, Seen]:
    """Run a whole job with every kind of secret, while everything that shows is taken down."""
    request = JobRequest(
        image=f"{rig.proxy_prefix}/docker:20.10.16",
        services=[
            {
                "name": f"{rig.registry_image}/docker:20.10.16-dind",
                "variables": [{"key": "OF_DIND", "value": "dind has $MASKED"}],
            },
            {
                "name": rig.special("tools/web:1"),
                "alias": "web",
                "variables": [{"key": "OF_WEB", "value": "web has $MASKED"}],
            },
        ],
        variables=secret_variables(logins),
        logins=logins,
        token="glcbt-64_jobs-own-token-0010",
    )
    job = start_standing(
        request, {"dind": {"registry_mirrors": [rig.mirror]}} if rig.mirror else {}
    )
    seen = Seen()
    with (
        witness.events(lambda event: seen.add("docker events", event)),
        watching_processes(lambda line: seen.add("process list", line)),
    ):
        job.up()
        job.script(
            'test "$MASKED" = masked-value-0005',
            'test "$(cat "$HIDDEN_FILE" | grep -c FileSecret)" = 2',
            f"docker pull -q {rig.registry_image}/docker:20.10.16",
            'echo "$CI_REGISTRY_PASSWORD"'
            f" | docker login -u {rig.ci_user.name} --password-stdin {rig.gitlab}",
            "docker ps",
        ).passed()
        job.script("true", sub_stage="after_script").passed()
        seen.add("docker inspect", witness.inspected(job.id))
        for kind in ("dind", "service"):
            environment = witness.inside(witness.container(job.id, kind), "cat", "/proc/1/environ")
            seen.add(f"process of {kind}", environment)
        for container in witness.containers(job.id):
            kind = container.labels["dind-executor.type"]
            if kind in {"dind", "service"}:
                seen.add("docker logs", witness.log(job.id, kind))
        job.script("true", sub_stage="cleanup_file_variables").passed()
        job.cleanup().passed()
    for call in job.calls:
        # gitlab-runner masks what the script prints; ours must need no masking.
        mine = call.output if not call.stage.startswith("run") else call.stderr
        seen.add("output of the stages", mine)
    log = (job.settings.parent / "operator.log").read_text(encoding="utf-8")
    seen.add("administrator's log", log)
    return job, seen


PLACES = (
    "output of the stages",
    "administrator's log",
    "docker inspect",
    "docker events",
    "docker logs",
    "process list",
)


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_shows(
    job_and_traces: tuple[JobCalls, Seen], logins: list[Login], place: str
) -> None:
    """No secret shows in any form, though everything else of the job can be seen there."""
    job, seen = job_and_traces
    assert seen.size(place) > 100
    shown = [secret for secret in all_secrets(job, logins) if place in seen.places_of(secret)]
    assert shown == []


def test_the_search_finds_what_shows(job_and_traces: tuple[JobCalls, Seen]) -> None:
    """What is no secret is found by the same search, so that finding nothing means something."""
    job, seen = job_and_traces
    assert "docker inspect" in seen.places_of("shown-value-0009")
    assert {"docker events", "administrator's log"} <= set(
        seen.places_of(f"dind-executor-{job.id}-")
    )
    assert "process list" in seen.places_of("dockerd")


def test_services_have_their_secret_variables(job_and_traces: tuple[JobCalls, Seen]) -> None:
    """A secret in a service's own variable, or in a proxy's, reaches the program that needs it."""
    _, seen = job_and_traces
    assert seen.places_of("dind has masked-value-0005") == ["process of dind"]
    assert seen.places_of("web has masked-value-0005") == ["process of service"]
    assert "process of dind" in seen.places_of("proxy-value-0011")


def test_labels_hold_nothing_of_the_jobs_own(start: Start, witness: Witness) -> None:
    """Everybody may read a label: ids, words, and where the job is from, whatever it has."""
    secret = Variable("CI_JOB_NAME", "masked-value-0011", masked=True)
    job = start(JobRequest(variables=[secret]), {"dind": {"mode": "service"}})
    job.config().passed()
    job.prepare().passed()
    for container in witness.containers(job.id):
        labels = {key: value for key, value in container.labels.items() if "executor" in key}
        assert sorted(labels) == [
            "dind-executor.deadline",
            "dind-executor.gitlab",
            "dind-executor.job",
            "dind-executor.job-id",
            "dind-executor.owner",
            "dind-executor.owner-container",
            "dind-executor.project-id",
            "dind-executor.temp-dir",
            "dind-executor.type",
            "dind-executor.volume-keep",
        ]
        assert labels["dind-executor.gitlab"] == "https://gitlab.example.com"
        assert re.fullmatch(r"\d+-[0-9a-f]{10}", labels["dind-executor.job"])


def test_a_failed_pull_says_no_password(rig: Rig, start: Start) -> None:
    """Neither the registry's answer nor our sentence carries the login, plain or encoded."""
    wrong = Login(rig.gitlab, rig.ci_user.name, "wrong-password-0012")
    job = start(JobRequest(f"{rig.gitlab}/group/nothing:1", logins=[wrong]))
    job.config().passed()
    call = job.prepare()
    log = (job.settings.parent / "operator.log").read_text(encoding="utf-8")
    encoded = base64.b64encode(f"{wrong.username}:{wrong.password}".encode()).decode()
    assert call.code == 1
    assert "stage failed" in log
    for text in (call.output, log):
        assert wrong.password not in text
        assert encoded not in text


def test_files_of_the_runner_are_private(start: Start) -> None:
    """What a stage writes beside the payload is for the runner's user only."""
    job = start(JobRequest())
    job.up()
    made = [path for path in job.temp.rglob("*") if path.is_file() and path.name.endswith(".pem")]
    assert sorted(path.name for path in made) == ["ca.pem", "cert.pem", "key.pem"]
    assert {oct(path.stat().st_mode & 0o077) for path in made} == {"0o0"}
    assert all(path.parent.stat().st_mode & 0o077 == 0 for path in made)

"""`dind-executor replay FILE`: runs a captured job again, and says whether it fails in the same way."""

import argparse
import io
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from executor.commands.plan.given import Given, read_given
from executor.commands.replay.compare import is_same, now, told
from executor.commands.replay.job import (
    assignment_of,
    checkout_of,
    lost_variables,
    other_placeholders,
    project_of,
    script_flags,
    variables_of,
)
from executor.commands.replay.sources import fetched_sources, local_sources, repository_of
from executor.errors import ExecutorError
from executor.excerpts import readable
from executor.files import read_regular
from executor.local.command import registration_of
from executor.local.errors import LocalError
from executor.local.options import add_registration
from executor.local.project.assignment import PipelineFacts
from executor.local.project.checkout import Checkout, make_snapshot
from executor.local.project.predefined import Project, Site
from executor.local.runner.directories import Slot
from executor.local.runner.job import Job
from executor.local.runner.job_log import JobLog, Masker, Terminal
from executor.local.runner.job_variables import DEFAULT_RUNNER_VERSION
from executor.local.runner.outcome import Outcome
from executor.local.runner.registration import Registration
from executor.local.runner.slots import Slots, runner_token
from executor.local.server.artifact_store import ArtifactStore
from executor.local.server.http import Server
from executor.local.server.listen import engine_of, listen_address
from executor.log import complain, say
from executor.notation.docker_config import read_docker_config

OTHERWISE, USAGE = 1, 2
_MOST_BYTES = 1024 * 1024
_NOWHERE = Site("127.0.0.1", 9)


class Heard(io.TextIOBase):
    """A stream that passes everything on, and keeps it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._pieces: list[str] = []

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def flush(self) -> None:
        self._stream.flush()

    def write(self, text: str) -> int:
        self._pieces.append(text)
        return self._stream.write(text)

    @property
    def text(self) -> str:
        """Return all that was written."""
        return "".join(self._pieces)


def main(args: list[str]) -> int:
    """Run the job again; return an exit code.

    0: it fails as it did then. 1: it ends otherwise. 2: called or configured wrongly.
    """
    given = _parser().parse_args(args)
    try:
        found = read_given(given.file, {})
        then = found.capture.get("failure")
        if not isinstance(then, dict) or not isinstance(found.payload, dict):
            complain(f"dind-executor replay: {given.file} is no captured payload.")
            return USAGE
        _announce(then, found.payload)
        heard = Heard(sys.stdout)
        outcome = _run(given, found, found.payload, Terminal(heard))  # type: ignore[arg-type]
    except (LocalError, ExecutorError) as error:
        complain(f"dind-executor replay: {readable(str(error))}")
        return USAGE
    if is_same(then, outcome, heard.text):
        say(f"\nThe job fails as it did then: {readable(told(then))}")
        return 0
    say(f"\nThen: {readable(told(then))}\nNow:  {now(outcome)}")
    return OTHERWISE


def _announce(then: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    say(f"When the job was captured, {readable(told(then))}")
    if lost := lost_variables(payload):
        say(f"Variables with placeholders instead of secrets: {readable(', '.join(lost))}")
    if others := other_placeholders(payload):
        say(f"Placeholders in the script, the image and services: {readable(', '.join(others))}")


def _run(
    given: argparse.Namespace, found: Given, payload: Mapping[str, Any], terminal: Terminal
) -> Outcome:
    values = found.values or {}
    registration, settings = registration_of(given)
    auth = _auth(given.auth_file)
    with tempfile.TemporaryDirectory(prefix="dind-executor-replay-") as directory:
        base = Path(directory)
        checkout = _checkout(given, payload, repository_of(found.capture, payload), base)
        has_sources = checkout is not None
        if not has_sources:
            say(
                "There are no sources: give --sources DIR or --token-file FILE if the job needs them."
            )
        project = project_of(payload)
        job_id = (secrets.randbelow(10**8) + 10**7) * 1000
        store = ArtifactStore(base)
        token = store.admit(job_id)
        version = given.runner_version or values.get("CI_RUNNER_VERSION") or DEFAULT_RUNNER_VERSION

        def at(site: Site, commit: Checkout) -> Outcome:
            facts = PipelineFacts(project, site, commit, job_id, (), (), (), _seconds(payload))
            own = {
                "CI_JOB_ID": str(job_id),
                "CI_JOB_TOKEN": token,
                "CI_REPOSITORY_URL": f"{site.url}/{project.path}.git",
                **script_flags(values),
            }
            variables = variables_of(payload, own, auth, has_sources=has_sources)
            assignment = assignment_of(payload, facts, variables, job_id=job_id, token=token)
            log = JobLog(terminal, Masker([token, *_logins(auth)]))
            with _slot(registration, project, version) as slot:
                job = Job(assignment, registration, slot, log)
                with _aborting(job):
                    return job.run()

        if checkout is None:
            return at(_NOWHERE, checkout_of(payload))
        refs = (f"refs/heads/{checkout.branch}", f"refs/pipelines/{job_id}")
        make_snapshot(checkout, base / "git" / f"{project.path}.git", refs=refs)
        host, port = listen_address(given.listen, engine=engine_of(settings))
        with Server(host, port, repositories=base / "git", store=store, caches=None) as server:
            return at(server.site, checkout)


def _checkout(
    given: argparse.Namespace, payload: Mapping[str, Any], repository: str, base: Path
) -> Checkout | None:
    if given.sources:
        checkout, warning = local_sources(given.sources, payload)
        if warning:
            say(f"WARNING: {warning}.")
        return checkout
    if given.token_file:
        directory = base / "sources"
        directory.mkdir()
        return fetched_sources(payload, repository, given.token_file, directory)
    return None


def _auth(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_regular(str(path), _MOST_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError):
        raise LocalError(f"{path} cannot be read; give a docker config.json") from None


def _logins(auth: str) -> list[str]:
    """Return what must not show of a docker configuration."""
    known = read_docker_config("--auth-file", auth, None).credentials.values() if auth else ()
    return [auth, *(text for each in known for text in (each.password, each.identity_token))]


def _seconds(payload: Mapping[str, Any]) -> int:
    seconds = (payload.get("runner_info") or {}).get("timeout")
    return seconds if isinstance(seconds, int) and seconds > 0 else 3600


@contextmanager
def _slot(registration: Registration, project: Project, version: str) -> Iterator[Slot]:
    source, name = registration.source, registration.name
    slots = Slots(source, name, project.path)
    number = slots.take()
    try:
        yield Slot(runner_token(source, name), number, version)
    finally:
        slots.give_back(number)


@contextmanager
def _aborting(job: Job) -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and the terminal's end abort the job; cleanup runs still."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: job.abort()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor replay",
        description="Run a captured job again through the hooks, and say whether it fails in the same"
        " way. Secrets are not in a capture: their variables have placeholders.",
        epilog="Exit codes: 0 the job fails as it did then; 1 it ends otherwise; 2 wrong use.",
    )
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="a captured payload")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--sources", metavar="DIR", type=Path, help="a git work tree: the job gets its last commit"
    )
    where.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="fetch the job's commit from its GitLab, with the token in this file",
    )
    add(
        "--auth-file",
        metavar="FILE",
        type=Path,
        help="a docker config.json with registry logins, which the job gets as DOCKER_AUTH_CONFIG",
    )
    add(
        "--listen",
        default="",
        metavar="HOST[:PORT]",
        help="where the server for sources listens (default: the gateway of the engine's bridge"
        " network)",
    )
    add_registration(parser, version="")
    return parser

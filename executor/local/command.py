"""`dind-executor local`: the command line of the embedded runner."""

import argparse
import functools
import io
import secrets
import signal
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from executor.excerpts import readable
from executor.local import options
from executor.local.errors import LocalError
from executor.local.pipeline.admission import Tree
from executor.local.pipeline.file import load_pipeline
from executor.local.pipeline.model import Pipeline
from executor.local.pipeline.order import planned_jobs
from executor.local.pipeline.selection import Stages, select_jobs, with_cache_keys
from executor.local.project.assignment import PipelineFacts
from executor.local.project.checkout import (
    Checkout,
    changed_files,
    committed_files,
    last_commits,
    make_snapshot,
    project_root,
    read_checkout,
)
from executor.local.project.predefined import Project, Site, pipeline_variables
from executor.local.report import exit_code, table, write_json, write_timeline
from executor.local.runner.colours import CYAN, YELLOW
from executor.local.runner.job_log import Terminal
from executor.local.runner.registration import (
    DEFAULT_CONFIG,
    DEFAULT_SETTINGS,
    Registration,
    default_hooks,
    from_config,
    from_hooks,
)
from executor.local.runner.slots import Slots, runner_token
from executor.local.schedule import Runner, Schedule
from executor.local.server.artifact_store import ArtifactStore
from executor.local.server.cache_store import CacheStore
from executor.local.server.http import Server
from executor.local.server.listen import engine_of, listen_address

_USAGE_ERROR = 2
_LARGEST_ID = 0x7FFFFFFF


def main(argv: list[str]) -> int:
    """Run the command and return its exit code: 0, 1 (a job failed), 2 (usage, system failure)."""
    given = options.parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Jobs print what they like, whatever the terminal can show.
        sys.stdout.reconfigure(errors="replace")
    terminal = Terminal(sys.stdout)
    try:
        return _run(given, terminal)
    except LocalError as error:
        print(f"dind-executor local: {readable(str(error))}", file=sys.stderr)
        return _USAGE_ERROR


def _run(given: argparse.Namespace, terminal: Terminal) -> int:
    pipeline = load_pipeline(given.file, project_root(Path.cwd()))
    checkout = read_checkout(Path.cwd(), branch=given.branch)
    variables = options.variables(given)
    timeout = options.duration_seconds(given.timeout)
    path = options.project_path(given.project_path or f"local/{_as_path(checkout)}")
    project = Project(path, zlib.crc32(path.encode()) & _LARGEST_ID)
    registration, settings = registration_of(given)
    caches = CacheStore(given.cache_server / path) if given.cache_server else None
    host, port = listen_address(given.listen, engine=engine_of(settings))
    # Unlike any other run's on this host: names of containers are made from job ids.
    pipeline_id = (secrets.randbelow(10**8) + 10**7) * 1000

    def facts(site: Site) -> PipelineFacts:
        predefined = pipeline_variables(
            checkout=checkout,
            project=project,
            site=site,
            pipeline_id=pipeline_id,
            config_path=str(given.file),
        )
        return PipelineFacts(
            project=project,
            site=site,
            checkout=checkout,
            pipeline_id=pipeline_id,
            predefined=predefined,
            yaml=pipeline.variables,
            given=variables,
            timeout_seconds=timeout,
            has_cache_server=caches is not None,
        )

    for warning in pipeline.warnings:
        terminal.say(f"WARNING: {warning}", colour=YELLOW)
    stages = _jobs_to_run(pipeline, facts(Site(host, port)), tuple(given.jobs))
    _announce(checkout, registration, given.file, terminal)
    source, name = registration.source, registration.name
    slots = Slots(source, name, path)
    runner = Runner(registration, runner_token(source, name), given.runner_version, slots)
    with tempfile.TemporaryDirectory(prefix="dind-executor-local-") as directory:
        base = Path(directory)
        refs = (f"refs/heads/{checkout.branch}", f"refs/pipelines/{pipeline_id}")
        make_snapshot(checkout, base / "git" / f"{path}.git", refs=refs)
        store = ArtifactStore(base)
        with Server(host, port, repositories=base / "git", store=store, caches=caches) as server:
            plan = planned_jobs(stages)
            schedule = Schedule(plan, facts(server.site), runner, store=store, terminal=terminal)
            with _signals(schedule):
                outcomes = schedule.run()
    terminal.say(f"\n{table(outcomes)}")
    if given.report:
        write_json(outcomes, given.report)
    if given.timeline:
        write_timeline(outcomes, given.timeline)
    return exit_code(outcomes)


def _jobs_to_run(pipeline: Pipeline, facts: PipelineFacts, names: tuple[str, ...]) -> Stages:
    selected = select_jobs(
        pipeline,
        predefined={item.key: item.value for item in facts.predefined},
        given={item.key: item.value for item in facts.given},
        names=names,
        tree=Tree(
            functools.partial(committed_files, facts.checkout),
            functools.partial(changed_files, facts.checkout),
        ),
    )
    if not selected:
        raise LocalError(
            f"{pipeline.source}: the rules leave no job to run that starts by itself; "
            f"name a manual job, choose another --branch or set a --variable"
        )
    return with_cache_keys(selected, functools.partial(last_commits, facts.checkout))


def _as_path(checkout: Checkout) -> str:
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in checkout.directory.name)
    return name or "project"


def registration_of(given: argparse.Namespace) -> tuple[Registration, Path | None]:
    """Return the registration, and the hooks' settings file if it is known."""
    if given.hooks and given.config:
        raise LocalError("--hooks and --config cannot be used together; give one of them")
    if given.config or (not given.hooks and not given.settings and DEFAULT_CONFIG.exists()):
        registration = from_config(given.config or DEFAULT_CONFIG, given.runner)
        named = [Path(argument) for argument in registration.run.arguments]
        return registration, next((path for path in named if path.suffix == ".toml"), None)
    settings = (given.settings or DEFAULT_SETTINGS).absolute()
    hooks = (given.hooks or default_hooks()).absolute()
    return from_hooks(hooks, settings), settings


def _announce(
    checkout: Checkout, registration: Registration, file: Path, terminal: Terminal
) -> None:
    terminal.say(
        f"Running {file} of {checkout.directory} at {checkout.sha[:8]} ({checkout.branch}) "
        f'with runner "{registration.name}"',
        colour=CYAN,
    )
    if checkout.is_modified:
        terminal.say(
            (
                "WARNING: the work tree has changes that are not committed; jobs do not get them,"
                " so commit them first"
            ),
            colour=YELLOW,
        )


@contextmanager
def _signals(schedule: Schedule) -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and the terminal's end call the pipeline off."""

    def call_off(*_: object) -> None:
        said = schedule.call_off()
        # The terminal may be what has gone.
        with suppress(OSError):
            print(f"\ndind-executor local: {said}", file=sys.stderr, flush=True)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, call_off) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

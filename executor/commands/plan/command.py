"""`dind-executor plan PAYLOAD`: shows what a job would get, and what decided it."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from executor import __version__
from executor.bounds import InvalidToml, toml_table
from executor.commands.plan.deciding import Deciding
from executor.commands.plan.document import Json, deciding_parts, document
from executor.commands.plan.facts import EngineFacts, ask, assumed, read_facts
from executor.commands.plan.given import Given, assumed_values, dumped, environment, read_given
from executor.commands.plan.planning import plan_job, wanted_pulls
from executor.commands.plan.text import lines
from executor.engine.docker import Engine
from executor.errors import (
    BUILD_FAILURE,
    EngineRefused,
    EngineUnavailable,
    ExecutorError,
    JobPayloadError,
    SettingsError,
)
from executor.excerpts import readable
from executor.files import read_regular
from executor.log import complain, say
from executor.notation.json_text import decoded
from executor.plan.inputs import Inputs
from executor.reading import Basics, basics_of, engine_address, read_inputs
from executor.redaction import redact
from executor.runner.environ import RunnerEnv
from executor.runner.payload import parse_job
from executor.settings.file import Settings, settings_of

SETTINGS = "/etc/dind-executor/settings.toml"
REFUSED, USAGE = 1, 2

_MOST_BYTES = 16 * 1024 * 1024


class Look(NamedTuple):
    """A job that may be planned, and what that rests on."""

    inputs: Inputs
    facts: EngineFacts
    stated: tuple[str, ...]
    """What was taken for granted, in sentences."""


def main(args: list[str]) -> int:
    """Show a plan; return an exit code.

    0: shown. 1: the job would be refused. 2: called or configured wrongly, or no such payload.
    """
    options = _parser().parse_args(args)
    environ = RunnerEnv.current().environ
    try:
        table, settings = read_settings_file(options.settings)
        given = read_given(options.payload, environ)
        facts = _facts(options.facts)
        basics, env, said = read_job_of(given, settings, environ)
        said = (*_defaults(options.settings), *said)
    except ExecutorError as error:
        complain(f"dind-executor plan: {readable(str(error))}")
        return USAGE
    secrets: tuple[str, ...] = ()
    try:
        inputs = read_inputs(env, basics)
        secrets = inputs.secrets
        look = _look(inputs, basics, env, facts, said, asks=not options.offline)
        found = whole(look, table, decides=not options.brief)
    except ExecutorError as error:
        return _refused(error, secrets, json=options.json)
    if options.json:
        say(dumped(found))
    else:
        for line in lines(found):
            say(readable(line))
    return 0


def whole(look: Look, table: Mapping[str, object], *, decides: bool = True) -> Json:
    """Return all that `--json` prints; raises what planning raises."""
    planned = plan_job(look.inputs, look.facts)
    decided: dict[str, list[str]] = {}
    if decides:
        decided = Deciding(_parts, look.inputs, look.facts).all(table)
    guessed = assumed(look.facts, planned.pulls)
    return {
        "version": __version__,
        **document(planned),
        "decided_by": decided,
        "assumed": [*look.stated, *guessed],
        "facts": look.facts.as_json(),
    }


def read_settings_file(path: str | None) -> tuple[dict[str, object], Settings]:
    """Return a settings file as it is written, and the settings; raises SettingsError."""
    if path is None and not Path(SETTINGS).exists():
        return {}, Settings()
    named = path or SETTINGS
    try:
        table = toml_table(read_regular(named, _MOST_BYTES).decode())
    except OSError as error:
        raise SettingsError(f"{named} cannot be read: {error.strerror}.") from None
    except (InvalidToml, UnicodeDecodeError) as error:
        raise SettingsError(f"{named} is not TOML: {error}") from None
    return table, settings_of(table, named)


def _defaults(path: str | None) -> tuple[str, ...]:
    """Return that nobody has written settings, where that is so."""
    if path is not None or Path(SETTINGS).exists():
        return ()
    return (f"There is no {SETTINGS}: these are the defaults. --settings names another file.",)


def read_job_of(
    given: Given, settings: Settings, environ: Mapping[str, str]
) -> tuple[Basics, RunnerEnv, tuple[str, ...]]:
    """Return a given job as a stage reads it, and what was assumed; raises JobPayloadError."""
    job = parse_job(given.payload, "PAYLOAD")
    values, said = given.values, list[str]()
    if values is None:
        values = assumed_values(job, given.payload, settings.builds_dir)
        said.append(
            "The variables are expanded as gitlab-runner does it, for its first slot. Those that it"
            " adds itself or that config.toml sets are not known, nor those from a vault."
        )
    env = RunnerEnv(environment(values, environ))
    return basics_of(env, settings, job), env, tuple(said)


def _look(
    inputs: Inputs,
    basics: Basics,
    env: RunnerEnv,
    facts: EngineFacts | None,
    said: tuple[str, ...],
    *,
    asks: bool,
) -> Look:
    """Return what a plan rests on; an engine that does not answer is stated, and no failure."""
    if facts:
        return Look(inputs, facts, said)
    address, tls_dir, tls_verify = engine_address(basics.settings, env)
    engine = Engine.at(address, tls_dir, tls_verify=tls_verify)
    why = "`--offline` was given"
    if asks:
        try:
            engine.connect()
            images, _ = wanted_pulls(inputs, engine.architecture)
            return Look(inputs, ask(engine, inputs, address, images), said)
        except (EngineUnavailable, EngineRefused) as error:
            why = str(error)
    text = (
        f"The Docker Engine was not asked: {why.rstrip('.')}. Its networks, registries and images"
    )
    return Look(inputs, EngineFacts(), (*said, f"{text} are not known; this assumes none."))


def _facts(path: Path | None) -> EngineFacts | None:
    if path is None:
        return None
    try:
        return read_facts(decoded(read_regular(str(path), _MOST_BYTES).decode()))
    except OSError as error:
        raise JobPayloadError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise JobPayloadError(f"{path} is not JSON.") from None
    except JobPayloadError as error:
        raise JobPayloadError(f"{path}: {error}") from None


def _parts(inputs: Inputs, facts: EngineFacts) -> Json:
    return deciding_parts(plan_job(inputs, facts))


def _refused(error: ExecutorError, secrets: tuple[str, ...], *, json: bool) -> int:
    """Say that the job would end in prepare, and why."""
    sentence = readable(redact(str(error), secrets))
    whose = "job author" if error.outcome == BUILD_FAILURE else "administrator"
    if json:
        refused = {"sentence": sentence, "kind": type(error).__name__, "for": whose}
        say(dumped({"version": __version__, "refused": refused}))
    else:
        complain(f"The job would end in prepare, for the {whose} to correct: {sentence}")
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dind-executor plan",
        description="Show what a job would get, and which line of the settings, word of the job or"
        " fact decides each part. Nothing is made and no image is pulled. Values of variables are"
        " not shown.",
        epilog="Exit codes: 0 shown; 1 the job would be refused; 2 wrong use.",
    )
    parser.add_argument(
        "payload",
        metavar="PAYLOAD",
        type=Path,
        help="a job's response.json (JOB_RESPONSE_FILE), or a captured payload",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument(
        "--settings",
        metavar="PATH",
        help=f"dind-executor's settings (default: {SETTINGS} if it is there)",
    )
    parser.add_argument(
        "--facts",
        metavar="FILE",
        type=Path,
        help="what is known of the Docker Engine and its images, as `--json` prints it; the engine"
        " is not asked",
    )
    parser.add_argument("--offline", action="store_true", help="do not ask the Docker Engine")
    parser.add_argument("--brief", action="store_true", help="do not look for what decides what")
    return parser

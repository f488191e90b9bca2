"""Files: settings, config.toml, pipelines, and what jobs of `local` leave."""

import io
import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from hypothesis import strategies as st

from executor.commands.migrate.command import main as migrate
from executor.excerpts import readable
from executor.local import options
from executor.local.errors import LocalError
from executor.local.pipeline.admission import Tree
from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.order import planned_jobs
from executor.local.pipeline.selection import select_jobs, with_cache_keys
from executor.local.project.assignment import assign
from executor.local.project.payload import payload_of
from executor.local.runner.registration import from_config
from executor.local.server.dotenv import variables_in
from executor.local.server.form import find_file
from executor.log import complain
from executor.settings.file import load_settings
from executor.settings.manual import documented_defaults
from tests import container_keys
from tests.load.fuzz.bounds import Fault, check_output
from tests.load.fuzz.mutations import Json, texts, texts_of, words
from tests.load.fuzz.target import Target, World, run_reader
from tests.local.samples import some_facts
from tests.plans import CACHE, DIND_SERVICE, EVERYTHING
from tests.toml import dumps

_DATA = Path(__file__).parents[2] / "data"
_SETTINGS = (
    EVERYTHING,
    CACHE,
    DIND_SERVICE,
    f"[docker]\n{container_keys.DOCKER}\n[dind]\n{container_keys.DIND}",
    documented_defaults(),
)
_CONFIGS = tuple(path.read_text("utf-8") for path in sorted((_DATA / "migrate").glob("*.toml")))
_PIPELINES = tuple(path.read_text("utf-8") for path in sorted((_DATA / "pipelines").glob("*.yml")))
_CUSTOM = """
[[runners]]
name = "fake"
executor = "custom"
builds_dir = "/builds"
environment = ["A=b"]
safe_directory_checkout = true
[runners.feature_flags]
FF_X = true
[runners.custom]
config_exec = "/bin/true"
config_args = ["a"]
config_exec_timeout = 60
run_exec = "/bin/true"
graceful_kill_timeout = 120
"""


def _tables(samples: Sequence[str]) -> st.SearchStrategy[str]:
    """Return TOML with something changed, as a table or as a text."""

    def written(document: Json) -> str:
        assert isinstance(document, dict)
        return dumps(document)

    return st.one_of(texts_of([tomllib.loads(each) for each in samples], written), texts(samples))


def _pipelines() -> st.SearchStrategy[str]:
    """Return pipelines with something changed; what `!reference` says is a text for most of them."""
    plain = [yaml.safe_load(each) for each in _PIPELINES if "!reference" not in each]
    return st.one_of(
        texts_of(plain, lambda each: yaml.safe_dump(each, sort_keys=False)), texts(_PIPELINES)
    )


def _said(world: World, error: Exception) -> None:
    """Check the sentence of an error that a reader promises, as `local` prints it."""
    complain(readable(str(error)))
    if not str(error).strip():
        raise Fault("no sentence", type(error).__name__)
    check_output(world.stdout.text(), world.stderr.text())


def _load_settings(case: Json, world: World) -> None:
    assert isinstance(case, str)
    path = world.write("settings.toml", case)
    run_reader(world, lambda: load_settings(path))


def _migrate(case: Json, world: World) -> None:
    assert isinstance(case, str)
    code = migrate([world.write("config.toml", case)])
    if code not in (0, 1, 2):
        raise Fault("code", f"the exit code is {code}")
    for text in (world.stdout.text(), world.stderr.text()):
        if len(text) > 4 * len(case) + 100_000:
            raise Fault("output", f"{len(text)} characters for {len(case)}")


def _migrate_by_name(case: Json, world: World) -> None:
    assert isinstance(case, list)
    name, config = case
    if "\0" in name or name == "--":
        return  # no argument has the first; the second is no value to argparse before Python 3.13
    path = world.write("config.toml", config)
    try:
        code = migrate([path, f"--runner={name}"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 99
    if code not in (0, 1, 2):
        raise Fault("code", f"the exit code is {code}")


def _run_pipeline(case: Json, world: World) -> None:
    """Read a pipeline, choose the jobs, and make the payload of each, as `local` does."""
    assert isinstance(case, str)
    facts = some_facts()
    predefined = {each.key: each.value for each in facts.predefined}
    tree = Tree(lambda: ("README.md", "src/a.py"), lambda _before: ("src/a.py",))
    try:
        pipeline = parse_pipeline(case, "ci.yml")
        stages = select_jobs(pipeline, predefined=predefined, given={}, tree=tree)
        stages = with_cache_keys(stages, lambda _patterns: ("0" * 40,))
        for planned in planned_jobs(stages):
            assigned = assign(planned.definition, facts, job_id=5001, token="glcbt-token")
            json.dumps(payload_of(assigned)).encode()
    except LocalError as error:
        _said(world, error)


def _register(case: Json, world: World) -> None:
    assert isinstance(case, str)
    try:
        from_config(Path(world.write("config.toml", case)))
    except LocalError as error:
        _said(world, error)


_OPTIONS: tuple[Callable[[str], object], ...] = (
    options.plain_variable,
    options.secret_variable,
    options.project_path,
    options.duration_seconds,
)


def _choose(case: Json, world: World) -> None:
    """Read the values of `local`'s options."""
    assert isinstance(case, str)
    if "\0" in case:
        return  # no argument has it
    for read in _OPTIONS:
        try:
            read(case)
        except LocalError as error:
            _said(world, error)


def _report(case: Json, world: World) -> None:
    """Read a dotenv report, and the file of an upload's form."""
    assert isinstance(case, str)
    raw = case.encode(errors="surrogatepass")
    find_file(io.BytesIO(raw), b"x")
    try:
        variables_in(case)
    except ValueError as error:
        if type(error) is not ValueError:
            raise  # a kind that says nothing to people
        _said(world, error)


_DOTENV = ("A=b\nexport C='d'\n# e\n", "A=b\n\n", '--x\r\nContent; name="file"\r\n\r\nabc\r\n--x--')
_VALUES = ("A=b", "A=@/dev/null", "group/project", "1h 30m", "90s", "1 week 2 days")

TARGETS = (
    Target("settings", _tables(_SETTINGS), _load_settings),
    Target("migrate", _tables(_CONFIGS), _migrate),
    Target(
        "migrate-runner", st.tuples(words(), st.sampled_from(_CONFIGS)).map(list), _migrate_by_name
    ),
    Target("pipeline", _pipelines(), _run_pipeline),
    Target("registration", _tables([_CUSTOM]), _register),
    Target("options", texts(_VALUES), _choose),
    Target("reports", texts(_DOTENV), _report),
)

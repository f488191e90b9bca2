"""Twenty pipeline files with what public ones have: which jobs run, or which sentence says why not.

Nothing runs here: the file is read, and jobs are chosen, for a commit on a branch.
"""

from pathlib import Path

import pytest

from executor.local.errors import LocalError
from executor.local.pipeline.admission import Tree
from executor.local.pipeline.file import load_pipeline
from executor.local.pipeline.selection import select_jobs
from tests.local.samples import some_facts

DIRECTORY = Path(__file__).parent.parent / "data" / "pipelines"
FILES = ("README.md", "Dockerfile", "src/deep/app.py", "tests/app_test.py")
BUILDS = "build: [amd64] build: [arm64]"
USUAL = f"lint {BUILDS} unit"

# The file, the jobs named, and the jobs that run.
RUN = [
    ("everyday", "", USUAL),
    ("everyday", "build", BUILDS),
    ("everyday", "deploy", "deploy"),
    ("two-axes", "check", "check"),
    ("two-axes", "build: [arm64, debian]", "build: [arm64, debian]"),
    ("versions", "tagged version", "version tagged"),
    ("inherits", "bare half", "bare half"),
    ("compared", "near", "near"),
    ("other-language", "docs", "docs"),
    ("other-language", "build", BUILDS),
    ("people", "", f"lint later {BUILDS} unit free"),
    ("people", "approve after-approval", "approve after-approval"),
    ("bridges", "unit", "unit"),
    ("releases", "build", BUILDS),
    ("tokens", "unit lint", "lint unit"),
    ("tokens-for-all", "offline", "offline"),
    ("other-projects", "deploy", "deploy"),
    ("old-lists", "sources feature", "sources feature"),
    ("cleaners", "", f"{USUAL} notify tidy"),
    ("split", "build merge", "build 1/3 build 2/3 build 3/3 merge"),
    ("website", "unit", "unit"),
    ("hooked", "lint", "lint"),
]
# The file, the job named, and words of the sentence.
REFUSED = [
    ("everyday", "downstream", ["rules"]),
    ("no-branches", "lint", ["workflow:rules"]),
    ("no-branches", "build", ["workflow:rules"]),
    ("compared", "far", ['job "far"', '"changes:compare_to"', '"refs/heads/absent"']),
    ("other-language", "unit", ['job "unit"', "rules"]),
    ("bridges", "child", ['job "child"', '"trigger"']),
    ("releases", "publish", ['job "publish"', '"release"']),
    ("tokens", "cloud", ['job "cloud"', '"id_tokens"']),
    ("tokens", "vault", ['job "vault"', '"secrets"']),
    ("tokens-for-all", "lint", ['job "lint"', '"id_tokens"']),
    ("from-template", "lint", ["include", '"template"']),
    ("from-elsewhere", "lint", ["include", '"remote"']),
    ("other-projects", "assemble", ['job "assemble"', '"project"']),
    ("old-lists", "lint", ['job "lint"', "only"]),
    ("old-lists", "nightly", ['job "nightly"', "only"]),
    ("old-lists", "not-here", ['job "not-here"', "except"]),
    ("cleaners", "never", ['job "never"', "when"]),
    ("website", "pages", ['job "pages"', '"publish"']),
    ("hooked", "odd", ['job "odd"', '"hooks"']),
    ("hooked", "steps", ['job "steps"', '"run"']),
]


def chosen(name: str, *jobs: str) -> list[str]:
    """Return the names of the jobs that would run."""
    facts = some_facts()
    predefined = {
        **{item.key: item.value for item in facts.predefined},
        "CI_COMMIT_BEFORE_SHA": "before",
    }
    changed = {"before": ("src/deep/app.py",), "main": ("src/app.py",)}
    stages = select_jobs(
        load_pipeline(DIRECTORY / f"{name}.yml"),
        predefined=predefined,
        given={},
        names=jobs,
        tree=Tree(lambda: FILES, changed.get),
    )
    return [job.name for stage in stages for job in stage]


def split(names: str) -> tuple[str, ...]:
    """Return names written one after the other, those of a matrix in one piece."""
    return (names,) if names.startswith("build: ") else tuple(names.split())


@pytest.mark.parametrize(("name", "jobs", "expected"), RUN)
def test_named_jobs_run(name: str, jobs: str, expected: str) -> None:
    """What cannot change how a job runs does not stop it, nor what other jobs have."""
    assert " ".join(chosen(name, *split(jobs))) == expected


@pytest.mark.parametrize(("name", "job", "words"), REFUSED)
def test_a_job_that_cannot_run_names_the_keyword(name: str, job: str, words: list[str]) -> None:
    """One sentence says the file, the job and the keyword."""
    with pytest.raises(LocalError) as caught:
        chosen(name, job)
    for word in [f"{name}.yml: ", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_file_is_tried() -> None:
    """There are twenty, and none is forgotten."""
    files = {path.stem for path in DIRECTORY.glob("*.yml")}
    assert len(files) == 20
    assert files == {name for name, *_ in (*RUN, *REFUSED)}

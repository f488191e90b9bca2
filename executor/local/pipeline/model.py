"""The pipeline as frozen data. Pure: no I/O; the file is read by `pipeline_file`."""

from dataclasses import dataclass

from executor.local.pipeline.rules import Rule

FIRST_STAGE = ".pre"
LAST_STAGE = ".post"
DEFAULT_STAGES = ("build", "test", "deploy")
RETRY_ALWAYS = "always"
# GitLab's names of the files; those of most others follow from their kind.
_REPORT_NAMES = {
    "codequality": "gl-code-quality-report.json",
    "coverage_report": "cobertura-coverage.xml",
    "dotenv": ".env",
    "junit": "junit.xml",
    "metrics": "metrics.txt",
    "terraform": "tfplan.json",
}


@dataclass(frozen=True, slots=True)
class YamlVariable:
    """A variable of the file; raw means that its own `$` are not expanded."""

    key: str
    value: str
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An `image:` or an entry of `services:`, nothing expanded."""

    name: str
    alias: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    variables: tuple[YamlVariable, ...] = ()
    pull_policy: tuple[str, ...] = ()
    user: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of report that a job uploads for GitLab to show, and where it lies."""

    kind: str
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the uploaded file is called."""
        return _REPORT_NAMES.get(self.kind, f"gl-{self.kind.replace('_', '-')}-report.json")


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What a job hands to the jobs of later stages."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    name: str = ""
    when: str = "on_success"
    expire_in: str = ""
    untracked: bool = False
    reports: tuple[Report, ...] = ()

    @property
    def has_archive(self) -> bool:
        """Whether there is anything for later jobs, and not only reports."""
        return bool(self.paths or self.untracked)


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache of a job. The key of files is made from the commits that changed them."""

    key: str = "default"
    key_files: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    untracked: bool = False
    policy: str = "pull-push"
    when: str = "on_success"
    fallback_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """A job that another one waits for instead of its stage."""

    job: str
    artifacts: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed job is tried again: at most `limit` times, for these failures only."""

    limit: int = 0
    when: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """What a job deploys to; no tier means the one that the name suggests."""

    name: str
    url: str = ""
    action: str = "start"
    tier: str = ""
    on_stop: str = ""


@dataclass(frozen=True, slots=True)
class Refs:
    """What `only:` or `except:` lists; None where it has no such section."""

    refs: tuple[str, ...] | None = None
    variables: tuple[str, ...] | None = None
    changes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """One job of the file, with what it extends and `default:` already merged in.

    No `needs` means that the job waits for all earlier stages; an empty list, for nothing. No
    time limit of its own (0 seconds) means the pipeline's. `inherits_variables` lists the global
    variables that the job takes, None for all. A job of `parallel:` has the `group` that the file
    names, and its number and their count as `node`. A job with a `refusal` cannot run here.
    """

    name: str
    ci_stage: str
    script: tuple[str, ...]
    before_script: tuple[str, ...] = ()
    after_script: tuple[str, ...] = ()
    image: Image | None = None
    services: tuple[Image, ...] = ()
    variables: tuple[YamlVariable, ...] = ()
    rules: tuple[Rule, ...] | None = None
    artifacts: Artifacts | None = None
    allow_failure: bool = False
    allowed_exit_codes: tuple[int, ...] = ()
    environment: Environment | None = None
    caches: tuple[Cache, ...] = ()
    needs: tuple[Need, ...] | None = None
    dependencies: tuple[str, ...] | None = None
    timeout_seconds: int = 0
    retry: Retry = Retry()
    when: str = "on_success"
    only: Refs | None = None
    excluded: Refs | None = None
    inherits_variables: tuple[str, ...] | None = None
    group: str = ""
    node: tuple[int, int] = (0, 1)
    refusal: str = ""

    def is_called(self, name: str) -> bool:
        """Tell whether a name is this job's, or that of the parallel jobs it is one of."""
        return name in (self.name, self.group)

    def may_fail_with(self, exit_code: int) -> bool:
        """Tell whether a failure with this exit code (0: there is none) stops nothing."""
        return self.allow_failure or exit_code in self.allowed_exit_codes


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A checked pipeline file."""

    source: str
    stages: tuple[str, ...]
    jobs: tuple[JobDefinition, ...]
    variables: tuple[YamlVariable, ...] = ()
    workflow: tuple[Rule, ...] | None = None
    warnings: tuple[str, ...] = ()
    """What is odd in the files, and no mistake."""

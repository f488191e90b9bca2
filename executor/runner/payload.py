"""JOB_RESPONSE_FILE: the job as GitLab sent it and gitlab-runner understood it, as frozen data.

Identity, image, services and credentials come from here and from nowhere else: a job's author can
set any `CUSTOM_ENV_*`, and cannot touch this file.
"""

from errno import EFBIG

from executor.dataclass import dataclass, field, replace
from executor.errors import JobPayloadError, UnsupportedJobOption
from executor.files import read_regular
from executor.notation.json_text import decoded
from executor.notation.table import Problems, Table

_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the payload: its raw value and what GitLab says of it."""

    key: str
    value: str = field(repr=False)
    public: bool
    masked: bool
    file: bool
    raw: bool

    @property
    def secret(self) -> bool:
        """Tell whether the value must not show in logs, labels or `docker inspect`."""
        return self.masked or not self.public


@dataclass(frozen=True, slots=True)
class JobImage:
    """The job's image or one of its services, as asked for."""

    name: str
    alias: str
    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...]
    variables: tuple[Variable, ...]
    pull_policies: tuple[str, ...]
    user: str
    platform: str


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """A registry credential that GitLab handed out with the job."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """One job request."""

    id: int
    token: str = field(repr=False)
    name: str
    ci_stage: str
    project_id: int
    pipeline_id: int
    repo_url: str = field(repr=False)
    ref: str
    sha: str
    before_sha: str
    may_fetch: bool
    """Whether GIT_STRATEGY is `fetch` where the job does not say, by the project's settings."""
    protected: bool | None
    """Whether the ref is protected; None where this gitlab-runner does not hand it on."""
    cache_keys: tuple[str, ...]
    timeout_seconds: int
    image: JobImage
    services: tuple[JobImage, ...]
    variables: tuple[Variable, ...]
    """As the environment has them: a key ends at its first `=`, whatever GitLab lets pass as one."""
    registries: tuple[RegistryLogin, ...]
    secret_keys: tuple[str, ...]
    """The variables that come from a vault; gitlab-runner alone knows their values."""
    refspecs: tuple[str, ...] = ()
    """What gitlab-runner has git fetch."""
    file_keys: frozenset[str] = frozenset()
    """The variables that are files; those from a vault are unless the job says otherwise."""

    @property
    def project_url(self) -> str:
        """Return the project's page, from the repository's URL without its credentials.

        Empty where the job has none.
        """
        scheme, _, rest = self.repo_url.partition("://")
        host, slash, path = rest.partition("/")
        page = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
        return page.rstrip("/").removesuffix(".git") if rest else ""

    @property
    def gitlab_url(self) -> str:
        """Return the address of the job's GitLab, empty where the job has no repository there.

        CI_SERVER_URL counts where the project's page lies below it, on the same server: a job's author
        may set it to anything, and whoever asks GitLab does so with a token.
        """
        page = self.project_url
        scheme, _, rest = page.partition("://")
        host = rest.partition("/")[0]
        if scheme not in {"http", "https"} or not host:
            return ""
        server = f"{scheme}://{host}"
        said = (each.value.rstrip("/") for each in self.variables if each.key == "CI_SERVER_URL")
        below = (
            each
            for each in said
            if f"{each}/".startswith(f"{server}/") and page.startswith(f"{each}/")
        )
        return next(below, server)

    def sets(self, key: str) -> bool:
        """Tell whether a variable comes with the job; else the administrator set it for gitlab-runner."""
        return key in self.secret_keys or any(each.key == key for each in self.variables)


def read_job(path: str) -> Job:
    """Read the payload at `path`.

    Raises JobPayloadError, without a word of the content, where it cannot be used, and
    UnsupportedJobOption where its author has made it too large.
    """
    if not path:
        raise JobPayloadError(
            "JOB_RESPONSE_FILE is not set. Only gitlab-runner (14.0 or later) and"
            " `dind-executor local` call the stages."
        )
    try:
        payload = decoded(read_regular(path, _MOST_BYTES).decode())
    except OSError as error:
        if error.errno == EFBIG:
            raise UnsupportedJobOption(
                f"The job is larger than {_MOST_BYTES // 1024**2} MiB with the variables in its image"
                " and services expanded. Shorten `image:` and `services:`, or the job's variables."
            ) from None
        raise JobPayloadError(
            f"The job payload {path} (JOB_RESPONSE_FILE) cannot be read: {error.strerror}."
            " Check that the hooks run as gitlab-runner's user."
        ) from None
    except (ValueError, RecursionError):
        raise JobPayloadError(
            f"The job payload {path} (JOB_RESPONSE_FILE) is not JSON. Check that the disk of"
            " the runner host is not full."
        ) from None
    return parse_job(payload, path)


def parse_job(payload: object, path: str = "JOB_RESPONSE_FILE") -> Job:
    """Turn a decoded payload into a `Job`; raises JobPayloadError that names the wrong fields."""
    problems = Problems()
    table = Table(payload, problems)
    info, git = table.table("job_info"), table.table("git_info")
    variables = tuple(map(_as_in_environment, _variables(table)))
    job = Job(
        id=table.integer("id"),
        token=table.string("token"),
        name=info.string("name", ""),
        ci_stage=info.string("stage", ""),
        project_id=info.integer("project_id", 0),
        pipeline_id=info.integer("pipeline_id", 0),
        repo_url=git.string("repo_url", ""),
        ref=git.string("ref", ""),
        sha=git.string("sha", ""),
        before_sha=git.string("before_sha", ""),
        may_fetch=table.boolean("allow_git_fetch", default=False),
        protected=git.optional_boolean("protected"),
        cache_keys=tuple(each.string("key", "") for each in table.tables("cache")),
        timeout_seconds=table.table("runner_info").integer("timeout", 3600),
        image=_image(table.table("image")),
        services=tuple(_image(each) for each in table.tables("services")),
        variables=variables,
        registries=tuple(
            RegistryLogin(
                each.string("url", ""), each.string("username", ""), each.string("password", "")
            )
            for each in table.tables("credentials")
            if each.string("type", "") == "registry"
        ),
        secret_keys=tuple(_key(name) for name in table.table("secrets").names()),
        refspecs=git.strings("refspecs"),
        file_keys=_secret_files(table.table("secrets")).union(
            each.key for each in variables if each.file
        ),
    )
    if problems:
        raise JobPayloadError(
            f"The job payload {path} is not what gitlab-runner writes:"
            f" {'; '.join(problems.texts)}. Check that dind-executor supports this version of"
            " gitlab-runner."
        )
    return job


def _image(table: Table) -> JobImage:
    docker = table.table("executor_opts").table("docker")
    entrypoint = table.strings("entrypoint")
    return JobImage(
        name=table.string("name", ""),
        alias=table.string("alias", ""),
        entrypoint=entrypoint or None,
        command=table.strings("command"),
        # GitLab says of a service's variables nothing but key and value: they stand in the pipeline.
        variables=tuple(replace(each, public=True) for each in _variables(table)),
        pull_policies=table.strings("pull_policy"),
        user=docker.string("user", ""),
        platform=docker.string("platform", ""),
    )


def _secret_files(table: Table) -> frozenset[str]:
    return frozenset(
        _key(name) for name in table.names() if table.table(name).boolean("file", default=True)
    )


def _as_in_environment(variable: Variable) -> Variable:
    key = _key(variable.key)
    rest = variable.key[len(key) + 1 :]
    return replace(variable, key=key, value=f"{rest}={variable.value}") if rest else variable


def _key(name: str) -> str:
    return name.partition("=")[0]


def _variables(table: Table) -> tuple[Variable, ...]:
    return tuple(
        Variable(
            key=each.string("key"),
            value=each.string("value", ""),
            public=each.boolean("public", default=False),
            masked=each.boolean("masked", default=False),
            file=each.boolean("file", default=False),
            raw=each.boolean("raw", default=False),
        )
        for each in table.tables("variables")
    )

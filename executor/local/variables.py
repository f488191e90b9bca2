"""Variables of a job: what they are, how they expand, and the predefined ones.

Pure. There are two expansions, as in the real thing: the server resolves references between
variables before it hands a job out, and the runner expands once more, by other rules.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from executor.local.checkout import Checkout
from executor.local.pipeline import JobDefinition, YamlVariable

# Their values are secrets wherever they come from, because GitLab makes them from the job token.
ALWAYS_SECRET = ("CI_REGISTRY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_TOKEN")

_SERVER_REFERENCE = re.compile(r"\$\$|\$(?:\{(\w+)\}|(\w+))")
# A shell's special parameters: one character, never the start of a name.
_SHELL_SPECIAL = "*#$@!?-0123456789"
_NAME_CHARACTER = re.compile(r"[A-Za-z0-9_]")
_MAX_SLUG = 63


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as the job payload carries it."""

    key: str
    value: str = field(repr=False)
    public: bool = True
    file: bool = False
    masked: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """The project that GitLab would know; here its path is all there is to know."""

    path: str
    id: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """The path without its last part."""
        return self.path.rpartition("/")[0]

    @property
    def root_namespace(self) -> str:
        """The first part of the path."""
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Site:
    """The server: its address as jobs reach it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{self.host}:{self.port}"


def expand(text: str, lookup: Callable[[str], str]) -> str:
    """Expand `$NAME` and `${NAME}` once, as the runner does.

    The rules are those of Go's os.Expand: a special parameter is a name of one character, what
    is not a name after `${` is eaten, and a lone `$` stays.
    """
    result = []
    position = 0
    while (dollar := text.find("$", position)) != -1:
        result.append(text[position:dollar])
        name, width = _reference(text[dollar + 1 :])
        if name:
            result.append(_shell_value(name, lookup))
        elif not width:
            result.append("$")
        position = dollar + 1 + width
    result.append(text[position:])
    return "".join(result)


def _reference(rest: str) -> tuple[str, int]:
    """Return the name that follows a `$`, and how many characters to skip."""
    if rest.startswith("{"):
        return _braced_reference(rest)
    if rest[:1] and rest[0] in _SHELL_SPECIAL:
        return rest[0], 1
    length = 0
    while length < len(rest) and _NAME_CHARACTER.match(rest[length]):
        length += 1
    return rest[:length], length


def _braced_reference(rest: str) -> tuple[str, int]:
    end = rest.find("}")
    if end == -1:
        return "", 1
    if end == 1:
        return "", 2
    return rest[1:end], end + 1


def _shell_value(name: str, lookup: Callable[[str], str]) -> str:
    if name == "$":
        return "$"
    return "" if name in _SHELL_SPECIAL else lookup(name)


def last_of_each(variables: Iterable[Variable]) -> dict[str, Variable]:
    """Return the variables by key; the last definition of a key wins."""
    return {variable.key: variable for variable in variables}


def resolved_by_server(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Return the variables with the references between them resolved, as GitLab hands them out.

    References to unknown, file-type and raw variables stay for the runner; so does a circle.
    """
    latest = last_of_each(variables)
    done: dict[str, str] = {}

    def value_of(variable: Variable, above: frozenset[str]) -> str:
        if variable.raw or variable.file:
            return variable.value
        if variable.key in done:
            return done[variable.key]
        inside = above | {variable.key}

        def substituted(match: re.Match[str]) -> str:
            target = latest.get(match[1] or match[2] or "")
            if target is None or target.raw or target.file or target.key in inside:
                return match[0]
            return value_of(target, inside)

        value = _SERVER_REFERENCE.sub(substituted, variable.value)
        if not above:
            done[variable.key] = value
        return value

    return tuple(
        replace(variable, value=value_of(variable, frozenset())) for variable in latest.values()
    )


def from_yaml(variables: Iterable[YamlVariable]) -> tuple[Variable, ...]:
    """Return the file's variables as the payload has them."""
    return tuple(Variable(item.key, item.value, raw=item.raw) for item in variables)


def slug(text: str) -> str:
    """Return a name that fits in a host name, as CI_COMMIT_REF_SLUG is one."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:_MAX_SLUG].strip("-")


def pipeline_variables(
    *, checkout: Checkout, project: Project, site: Site, pipeline_id: int, config_path: str
) -> tuple[Variable, ...]:
    """Return the predefined variables that all jobs of a pipeline share."""
    values = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER_URL": site.url,
        "CI_SERVER_HOST": site.host,
        "CI_SERVER_PORT": str(site.port),
        "CI_SERVER_PROTOCOL": "http",
        "CI_SERVER_NAME": "dind-executor local",
        "CI_API_V4_URL": f"{site.url}/api/v4",
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.name,
        "CI_PROJECT_TITLE": project.name,
        "CI_PROJECT_PATH": project.path,
        "CI_PROJECT_PATH_SLUG": slug(project.path),
        "CI_PROJECT_NAMESPACE": project.namespace,
        "CI_PROJECT_ROOT_NAMESPACE": project.root_namespace,
        "CI_PROJECT_URL": f"{site.url}/{project.path}",
        "CI_PROJECT_VISIBILITY": "private",
        "CI_DEFAULT_BRANCH": "main",
        "CI_CONFIG_PATH": config_path,
        "CI_PIPELINE_ID": str(pipeline_id),
        "CI_PIPELINE_IID": "1",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PIPELINE_URL": f"{site.url}/{project.path}/-/pipelines/{pipeline_id}",
        "CI_COMMIT_SHA": checkout.sha,
        "CI_COMMIT_SHORT_SHA": checkout.sha[:8],
        "CI_COMMIT_BEFORE_SHA": checkout.before_sha,
        "CI_COMMIT_REF_NAME": checkout.branch,
        "CI_COMMIT_REF_SLUG": slug(checkout.branch),
        "CI_COMMIT_BRANCH": checkout.branch,
        "CI_COMMIT_MESSAGE": checkout.message,
        "CI_COMMIT_TITLE": checkout.title,
        "CI_COMMIT_DESCRIPTION": checkout.description,
        "CI_COMMIT_TIMESTAMP": checkout.timestamp,
        "CI_COMMIT_AUTHOR": checkout.author,
        "CI_COMMIT_REF_PROTECTED": "false",
        "GITLAB_USER_ID": "1",
        "GITLAB_USER_LOGIN": slug(checkout.author_name),
        "GITLAB_USER_NAME": checkout.author_name,
        "GITLAB_USER_EMAIL": checkout.author_email,
    }
    # A commit message may hold a `$` that nobody meant as a reference.
    return tuple(Variable(key, value, raw="$" in value) for key, value in values.items())


def registry_variables(project: Project, given: Iterable[Variable]) -> tuple[Variable, ...]:
    """Return what GitLab derives from the registry and the dependency proxy, if there are any."""
    values = {variable.key: variable.value for variable in given}
    derived = []
    if registry := values.get("CI_REGISTRY"):
        derived.append(Variable("CI_REGISTRY_IMAGE", f"{registry}/{project.path.lower()}"))
    if server := values.get("CI_DEPENDENCY_PROXY_SERVER"):
        prefix = "dependency_proxy/containers"
        root, group = project.root_namespace.lower(), project.namespace.lower()
        derived += [
            Variable("CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX", f"{server}/{root}/{prefix}"),
            Variable("CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX", f"{server}/{group}/{prefix}"),
        ]
    return tuple(derived)


def job_variables(
    job: JobDefinition, *, job_id: int, token: str, project: Project, site: Site
) -> tuple[Variable, ...]:
    """Return the predefined variables of one job."""
    repository = f"http://gitlab-ci-token:{token}@{site.host}:{site.port}/{project.path}.git"
    variables = [
        Variable("CI_JOB_ID", str(job_id)),
        Variable("CI_JOB_URL", f"{site.url}/{project.path}/-/jobs/{job_id}"),
        Variable("CI_JOB_TOKEN", token, public=False, masked=True),
        Variable("CI_JOB_NAME", job.name, raw="$" in job.name),
        Variable("CI_JOB_NAME_SLUG", slug(job.name)),
        Variable("CI_JOB_STAGE", job.ci_stage),
        Variable("CI_NODE_TOTAL", "1"),
        Variable("CI_REPOSITORY_URL", repository, public=False),
    ]
    if job.environment:
        variables.append(Variable("CI_ENVIRONMENT_NAME", job.environment))
        variables.append(Variable("CI_ENVIRONMENT_SLUG", slug(job.environment)[:24].strip("-")))
    return tuple(variables)

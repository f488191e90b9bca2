"""The predefined variables: what GitLab says about a project, its commit and a job.

Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from executor.local.pipeline.model import JobDefinition
from executor.local.project.checkout import Checkout
from executor.local.project.variables import Variable

# The user name that goes with a job token.
JOB_TOKEN_USER = "gitlab-ci-token"  # noqa: S105
_MAX_SLUG = 63


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
        "CI_DEFAULT_BRANCH": checkout.default_branch,
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
        derived.append(Variable("CI_REGISTRY_USER", JOB_TOKEN_USER))
        derived.append(Variable("CI_REGISTRY_IMAGE", f"{registry}/{project.path.lower()}"))
    if server := values.get("CI_DEPENDENCY_PROXY_SERVER"):
        prefix = "dependency_proxy/containers"
        root, group = project.root_namespace.lower(), project.namespace.lower()
        derived += [
            Variable("CI_DEPENDENCY_PROXY_USER", JOB_TOKEN_USER),
            Variable("CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX", f"{server}/{root}/{prefix}"),
            Variable("CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX", f"{server}/{group}/{prefix}"),
        ]
    return tuple(derived)


def repository_url(site: Site, project: Project, token: str) -> str:
    """Return the address to fetch from, with the job token in it."""
    return f"http://{JOB_TOKEN_USER}:{token}@{site.host}:{site.port}/{project.path}.git"


def job_variables(
    job: JobDefinition, *, job_id: int, token: str, project: Project, site: Site
) -> tuple[Variable, ...]:
    """Return the predefined variables of one job."""
    return (
        Variable("CI_JOB_ID", str(job_id)),
        Variable("CI_JOB_URL", f"{site.url}/{project.path}/-/jobs/{job_id}"),
        Variable("CI_JOB_TOKEN", token, public=False, masked=True),
        Variable("CI_JOB_NAME", job.name, raw="$" in job.name),
        Variable("CI_JOB_NAME_SLUG", slug(job.name)),
        Variable("CI_JOB_STAGE", job.ci_stage),
        *([Variable("CI_NODE_INDEX", str(job.node[0]))] if job.group else []),
        Variable("CI_NODE_TOTAL", str(job.node[1])),
        Variable("CI_REPOSITORY_URL", repository_url(site, project, token), public=False),
    )

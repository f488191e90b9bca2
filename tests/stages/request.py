"""A job as GitLab sends it: what a test wants of it, and everything else that belongs to it."""

import base64
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_NUMBERS = itertools.count()
PROJECT = "group/project"
TOKEN_VARIABLE = "CI_JOB_TOKEN"
KEPT_LAYERS = "DIND_EXECUTOR_TESTS_KEEP_LAYERS"
"""The variable that has the jobs of tests keep layers (`--kept-layers`)."""


def new_job_id() -> int:
    """Return an id that no other job on this machine has, also if two test runs share the rig."""
    return os.getpid() * 1000 + next(_NUMBERS)


def own_project() -> int:
    """Return the project of jobs that are given none; those of one project share the layers they keep.

    So tests that run side by side have one each, or the second would find its slot's layers in use.
    """
    return os.getpid() if KEPT_LAYERS in os.environ else 7


@dataclass(frozen=True, slots=True)
class Variable:
    """A CI variable; as in GitLab, masked and file are choices of whoever set it."""

    key: str
    value: str = field(repr=False)
    public: bool = True
    masked: bool = False
    file: bool = False
    raw: bool = False

    def payload(self) -> dict[str, object]:
        """Return it as it stands in the payload."""
        return {
            "key": self.key,
            "value": self.value,
            "public": self.public,
            "masked": self.masked,
            "file": self.file,
            "raw": self.raw,
        }


@dataclass(frozen=True, slots=True)
class Login:
    """A registry credential of the payload."""

    url: str
    username: str
    password: str = field(repr=False)


def auths(*logins: Login) -> str:
    """Return a docker configuration with these logins."""
    entries = {
        each.url: {"auth": base64.b64encode(f"{each.username}:{each.password}".encode()).decode()}
        for each in logins
    }
    return json.dumps({"auths": entries})


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One job. `services` and `image_options` have the payload's own shape."""

    image: str = "alpine"
    services: Sequence[Mapping[str, object]] = ()
    variables: Sequence[Variable] = ()
    logins: Sequence[Login] = ()
    image_options: Mapping[str, object] = field(default_factory=dict)
    id: int = field(default_factory=new_job_id)
    token: str = field(default="glcbt-64_jobtokenjobtoken", repr=False)
    project_id: int = field(default_factory=own_project)
    may_fetch: bool = False
    """Whether jobs of the project fetch into what the last one left; the engine keeps that."""
    cache_keys: Sequence[str] = ()
    protected: bool | None = None
    slot: int = 0
    """The runner's, whatever projects it has jobs of."""

    def payload(self) -> dict[str, object]:
        """Return what gitlab-runner writes to JOB_RESPONSE_FILE."""
        image = {"name": self.image, **_EXECUTOR_OPTIONS, **self.image_options}
        return {
            "id": self.id,
            "token": self.token,
            "allow_git_fetch": self.may_fetch,
            "job_info": {
                "name": "job",
                "stage": "test",
                "project_id": self.project_id,
                "project_name": "project",
                "project_full_path": PROJECT,
                "pipeline_id": 11,
            },
            "git_info": {
                "repo_url": f"https://gitlab-ci-token:{self.token}@gitlab.example.com/{PROJECT}.git",
                "ref": "main",
                "sha": "0" * 40,
                "ref_type": "branch",
                "protected": self.protected,
            },
            "runner_info": {"timeout": 3600},
            "variables": [each.payload() for each in self._all_variables()],
            "steps": [
                {"name": "script", "script": ["true"], "timeout": 3600, "when": "on_success"}
            ],
            "image": image,
            "services": [{**_EXECUTOR_OPTIONS, **each} for each in self.services] or None,
            "artifacts": None,
            "cache": [{"key": key, "paths": ["x"]} for key in self.cache_keys] or None,
            "credentials": [
                {
                    "type": "registry",
                    "url": each.url,
                    "username": each.username,
                    "password": each.password,
                }
                for each in self.logins
            ],
            "dependencies": [],
            "features": {"trace_sections": True, "token_mask_prefixes": ["glpat-"]},
        }

    def values(self, builds_dir: str) -> dict[str, str]:
        """Return the variables as gitlab-runner hands them to a stage; file ones as content."""
        project_dir = f"{builds_dir}/{PROJECT}" if builds_dir else ""
        return {
            "CI_JOB_IMAGE": self.image,
            "CI_RUNNER_SHORT_TOKEN": "t3stt0ken",
            "CI_BUILDS_DIR": builds_dir,
            "CI_PROJECT_DIR": project_dir,
            "CI_CONCURRENT_ID": str(self.slot),
            "CI_CONCURRENT_PROJECT_ID": "0",
            "CI_SERVER": "yes",
            "CI_JOB_STATUS": "running",
            "CI_JOB_TIMEOUT": "3600",
            **{each.key: each.value for each in self._all_variables()},
            "CI_SHARED_ENVIRONMENT": "true",
            "CI_RUNNER_VERSION": "17.9.0",
            "RUNNER_TEMP_PROJECT_DIR": f"{project_dir}.tmp",
            "CI_JOB_SERVICES": "",
        }

    def file_variables(self) -> frozenset[str]:
        """Return the keys of the variables that scripts see as files."""
        return frozenset(each.key for each in self._all_variables() if each.file)

    def _all_variables(self) -> tuple[Variable, ...]:
        return (
            Variable("CI_JOB_ID", str(self.id)),
            Variable(TOKEN_VARIABLE, self.token, public=False, masked=True),
            *self.variables,
        )


_EXECUTOR_OPTIONS: dict[str, object] = {
    "executor_opts": {"docker": {"platform": "", "user": ""}, "kubernetes": {"user": ""}}
}

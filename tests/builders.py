"""A valid payload, job and inputs; a test changes the one thing that it is about."""

from collections.abc import Mapping, Sequence

from executor.notation.docker_config import Credential
from executor.notation.owner import Belonging, Owner
from executor.plan.credentials import Catalogue
from executor.plan.inputs import Inputs
from executor.runner.payload import Job, parse_job
from executor.settings.file import Settings, read_settings

TOKEN = "glcbt-64_sample-token"
"""The token of every sample job."""

BELONGING = Belonging(
    "4711-0123456789",
    "4711",
    "42",
    Owner("m4ch1ne", "b00t", "4026531836", 1234, 56789, local=True),
    temp_dir="/tmp/custom-executor1",
    deadline=1800000000,
    gitlab="https://gitlab.example.com",
)
"""Who every sample job belongs to."""

RUNNER_VALUES = {
    "CI_RUNNER_SHORT_TOKEN": "t3stt0ken",
    "CI_RUNNER_VERSION": "17.9.0",
    "CI_CONCURRENT_PROJECT_ID": "0",
    "CI_PROJECT_DIR": "/builds/group/project",
    "RUNNER_TEMP_PROJECT_DIR": "/builds/group/project.tmp",
}
"""Variables that gitlab-runner adds by itself."""


def a_variable(key: str, value: str, **changes: bool) -> dict[str, object]:
    """Return a variable of a payload: public, and neither masked nor a file, unless changed."""
    return {
        "key": key,
        "value": value,
        "public": True,
        "masked": False,
        "file": False,
        "raw": False,
        **changes,
    }


def a_service(name: str, **changes: object) -> dict[str, object]:
    """Return an image or service of a payload."""
    return {"name": name, "executor_opts": {"docker": {"platform": "", "user": ""}}, **changes}


def a_payload(**changes: object) -> dict[str, object]:
    """Return a decoded payload with some fields changed."""
    return {
        "id": 4711,
        "token": TOKEN,
        "job_info": {"name": "build", "stage": "build", "project_id": 42},
        "git_info": {"repo_url": f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/g/p.git"},
        "runner_info": {"timeout": 3600},
        "image": a_service("docker:20.10.16"),
        "services": None,
        "variables": [a_variable("CI_JOB_TOKEN", TOKEN, public=False, masked=True)],
        "credentials": None,
        **changes,
    }


def a_job(**changes: object) -> Job:
    """Return a job whose payload has some fields changed."""
    return parse_job(a_payload(**changes))


def some_settings(text: str = "") -> Settings:
    """Return settings read from TOML."""
    return read_settings(text, "settings.toml")


def some_inputs(
    *,
    settings: str = "",
    variables: Sequence[Mapping[str, object]] = (),
    values: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
    **payload: object,
) -> Inputs:
    """Return inputs; `values` are those of `variables` unless said otherwise."""
    token = a_variable("CI_JOB_TOKEN", TOKEN, public=False, masked=True)
    given = {str(each["key"]): str(each["value"]) for each in variables}
    return Inputs(
        job=a_job(variables=[token, *variables], **payload),
        settings=some_settings(settings),
        belonging=BELONGING,
        values={**RUNNER_VALUES, "CI_JOB_TOKEN": TOKEN, **given, **(values or {})},
        catalogue=catalogue or Catalogue(),
    )


def a_login(username: str = "ci", password: str = "registry-password") -> Credential:
    """Return a credential."""
    return Credential(username, password)


def fetching(
    settings: str = "",
    *,
    variables: Sequence[Mapping[str, object]] = (),
    values: Mapping[str, str] | None = None,
    **payload: object,
) -> Inputs:
    """Return inputs of a project whose jobs fetch."""
    changes: dict[str, object] = {"allow_git_fetch": True, **payload}
    return some_inputs(
        settings=settings, variables=variables, values=values, catalogue=None, **changes
    )


def context_values(**changes: object) -> dict[str, object]:
    """Return the values that config leaves for later stages, some of them changed."""
    return {
        "host": "unix:///none",
        "tls_dir": "",
        "tls_verify": False,
        "key": "1-ab",
        "job_id": 1,
        "project_id": 2,
        "ready_timeout": 5,
        "log": "none",
        "spool": "",
        "capture": "",
        **changes,
    }

"""The payload of a job."""

from executor.local.pipeline.model import Artifacts, Image, YamlVariable
from executor.local.project.assignment import Dependency
from executor.local.project.payload import payload_of
from tests.local.samples import SHA, an_assignment

FIELDS = [
    "id",
    "token",
    "allow_git_fetch",
    "job_info",
    "git_info",
    "runner_info",
    "inputs",
    "variables",
    "steps",
    "image",
    "services",
    "artifacts",
    "cache",
    "credentials",
    "dependencies",
    "features",
    "policy_options",
]


def test_a_plain_job_has_every_field() -> None:
    """What a job does not use is there and empty."""
    payload = payload_of(an_assignment())
    assert FIELDS == list(payload)
    assert payload["services"] is None
    assert payload["artifacts"] is None
    assert payload["cache"] is None
    assert payload["credentials"] == []
    assert payload["dependencies"] == []
    assert payload["image"] == {
        "name": "docker:27",
        "executor_opts": {"docker": {"platform": "", "user": ""}, "kubernetes": {"user": ""}},
    }
    assert payload["git_info"] == {
        "repo_url": "http://gitlab-ci-token:glcbt-token@172.17.0.1:8080/Group/Sub/project.git",
        "repo_object_format": "sha1",
        "ref": "feature/One",
        "sha": SHA,
        "before_sha": "0" * 40,
        "ref_type": "branch",
        "refspecs": [
            "+refs/pipelines/5000:refs/pipelines/5000",
            "+refs/heads/feature/One:refs/remotes/origin/feature/One",
        ],
        "depth": 20,
        "protected": False,
    }


def test_scripts_become_steps_as_gitlab_merges_them() -> None:
    """before_script and script are one step; after_script always runs."""
    payload = payload_of(
        an_assignment(before_script=("login",), script=("make", "test"), after_script=("tell",))
    )
    steps = payload["steps"]
    assert isinstance(steps, list)
    assert [(step["name"], step["script"], step["when"]) for step in steps] == [
        ("script", ["login", "make", "test"], "on_success"),
        ("after_script", ["tell"], "always"),
    ]


def test_a_service_keeps_all_it_says() -> None:
    """Names stay as the author wrote them; the runner expands them."""
    service = Image(
        "$R/docker:dind",
        alias="docker dind",
        command=("--mtu=1400",),
        entrypoint=("",),
        variables=(YamlVariable("X", "$Y", raw=True),),
        pull_policy=("always",),
        platform="linux/amd64",
    )
    payload = payload_of(an_assignment(services=(service,)))
    assert payload["services"] == [
        {
            "name": "$R/docker:dind",
            "alias": "docker dind",
            "command": ["--mtu=1400"],
            "entrypoint": [""],
            "variables": [{"key": "X", "value": "$Y", "raw": True}],
            "pull_policy": ["always"],
            "executor_opts": {
                "docker": {"platform": "linux/amd64", "user": ""},
                "kubernetes": {"user": ""},
            },
        }
    ]


def test_artifacts_name_what_is_kept_and_where_it_comes_from() -> None:
    """One archive per job; an earlier one is fetched with the job's own token."""
    kept = Artifacts(paths=("out",), exclude=("out/tmp",), expire_in="1 day", when="always")
    dependency = Dependency(4, "early", "artifacts.zip", 12)
    payload = payload_of(an_assignment(artifacts=kept, dependencies=(dependency,)))
    assert payload["artifacts"] == [
        {
            "name": "",
            "untracked": False,
            "paths": ["out"],
            "exclude": ["out/tmp"],
            "when": "always",
            "artifact_type": "archive",
            "artifact_format": "zip",
            "expire_in": "1 day",
        }
    ]
    assert payload["dependencies"] == [
        {
            "id": 4,
            "token": "glcbt-token",
            "name": "early",
            "artifacts_file": {"filename": "artifacts.zip", "size": 12},
        }
    ]

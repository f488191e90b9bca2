"""JOB_RESPONSE_FILE as frozen data."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from executor.errors import JobPayloadError
from executor.runner.payload import Job, JobImage, RegistryLogin, Variable, parse_job, read_job
from tests.builders import TOKEN, a_job, a_payload, a_service, a_variable


def test_a_whole_payload() -> None:
    """Every field that the product looks at comes from the payload."""
    job = a_job(
        services=[
            a_service(
                "docker:dind",
                alias="docker dind",
                entrypoint=["dockerd-entrypoint.sh"],
                command=["--mtu=1400"],
                variables=[a_variable("A", "b")],
                pull_policy=["if-not-present"],
                executor_opts={"docker": {"platform": "linux/arm64", "user": "1000"}},
            )
        ],
        variables=[a_variable("KEY", "$value", public=False, masked=True, file=True, raw=True)],
        credentials=[
            {"type": "registry", "url": "r:5000", "username": "u", "password": "p"},
            {"type": "other", "url": "x", "username": "u", "password": "p"},
        ],
    )

    nothing = JobImage("docker:20.10.16", "", None, (), (), (), "", "")
    assert job == Job(
        id=4711,
        token=TOKEN,
        name="build",
        ci_stage="build",
        project_id=42,
        pipeline_id=0,
        ref="",
        sha="",
        before_sha="",
        repo_url=f"https://gitlab-ci-token:{TOKEN}@gitlab.example.com/g/p.git",
        may_fetch=False,
        protected=None,
        cache_keys=(),
        timeout_seconds=3600,
        image=nothing,
        services=(
            JobImage(
                name="docker:dind",
                alias="docker dind",
                entrypoint=("dockerd-entrypoint.sh",),
                command=("--mtu=1400",),
                variables=(Variable("A", "b", public=True, masked=False, file=False, raw=False),),
                pull_policies=("if-not-present",),
                user="1000",
                platform="linux/arm64",
            ),
        ),
        variables=(Variable("KEY", "$value", public=False, masked=True, file=True, raw=True),),
        registries=(RegistryLogin("r:5000", "u", "p"),),
        secret_keys=job.secret_keys,
        file_keys=job.file_keys,
    )


def test_what_is_not_sent_is_empty() -> None:
    """gitlab-runner leaves out or nulls what a job does not have."""
    job = parse_job({"id": 1, "token": "t"})

    assert (job.image.name, job.services, job.variables, job.registries) == ("", (), (), ())
    assert (job.project_id, job.timeout_seconds, job.repo_url) == (0, 3600, "")


@pytest.mark.parametrize(
    ("entrypoint", "expected"),
    [(None, None), ([], None), ([""], ("",)), (["/bin/sh", "-c"], ("/bin/sh", "-c"))],
)
def test_an_empty_entrypoint_is_one_and_none_is_not(
    entrypoint: list[str] | None, expected: tuple[str, ...] | None
) -> None:
    """`entrypoint: [""]` clears the image's own."""
    assert a_job(image=a_service("a", entrypoint=entrypoint)).image.entrypoint == expected


def test_a_key_ends_where_the_environment_ends_it() -> None:
    """GitLab lets a key pass that has `=` in it; nothing may pass for another variable so."""
    job = a_job(variables=[a_variable('DOCKER_AUTH_CONFIG={"x":"', '"}')], secrets={"TOKEN=x": {}})

    (variable,) = job.variables
    assert (variable.key, variable.value) == ("DOCKER_AUTH_CONFIG", '{"x":"="}')
    assert job.sets("DOCKER_AUTH_CONFIG")
    assert job.sets("TOKEN")


def test_what_gitlab_says_of_a_services_variables() -> None:
    """Key and value alone; they stand in the pipeline, so they are public."""
    job = a_job(services=[a_service("a", variables=[{"key": "K", "value": "v"}])])

    assert not job.services[0].variables[0].secret


def test_a_variable_without_flags_is_a_secret() -> None:
    """Where GitLab says nothing of a variable, it is not public."""
    job = a_job(variables=[{"key": "K", "value": "v"}])

    assert job.variables[0].secret


@pytest.mark.parametrize(
    ("public", "masked", "secret"),
    [(True, False, False), (True, True, True), (False, False, True), (False, True, True)],
)
def test_what_is_secret(*, public: bool, masked: bool, secret: bool) -> None:
    """Masked or not public."""
    assert Variable("K", "v", public=public, masked=masked, file=False, raw=False).secret is secret


def test_nothing_secret_shows_in_a_repr() -> None:
    """An assertion or a traceback may print a job."""
    job = a_job(
        variables=[a_variable("K", "hunter2", public=False)],
        services=[a_service("a", variables=[a_variable("S", "hunter3", public=False)])],
        credentials=[
            {"type": "registry", "url": "r", "username": "u", "password": "hunter4"},
        ],
    )

    assert not [each for each in ("hunter", TOKEN) if each in repr(job)]


@pytest.mark.parametrize(
    ("changes", "mistakes"),
    [
        ({"id": None}, ["id: is missing"]),
        ({"id": "7"}, ["id: expected a whole number, found a string"]),
        ({"token": 7}, ["token: expected a string, found a whole number"]),
        ({"services": {}}, ["services: expected a list, found a table"]),
        ({"services": ["docker:dind"]}, ["services[0]: expected a table, found a string"]),
        ({"image": "docker"}, ["image: expected a table, found a string"]),
        (
            {"variables": [{"value": "hunter2"}], "credentials": [7]},
            ["variables[0].key: is missing", "credentials[0]: expected a table"],
        ),
        ({"job_info": []}, ["job_info: expected a table, found a list"]),
        ({"runner_info": {"timeout": "1h"}}, ["runner_info.timeout: expected a whole number"]),
    ],
)
def test_mistakes_are_named_all_at_once(changes: Mapping[str, object], mistakes: list[str]) -> None:
    """Each mistake has its path, and no word of the content shows."""
    with pytest.raises(JobPayloadError) as caught:
        parse_job(a_payload(**changes), "/tmp/response.json")

    text = str(caught.value)
    assert text.startswith("The job payload /tmp/response.json is not what gitlab-runner writes: ")
    assert not [each for each in mistakes if each not in text]
    assert not [each for each in ("hunter2", TOKEN) if each in text]


@pytest.mark.parametrize("payload", [[], "x", 7, None])
def test_a_payload_that_is_no_object(payload: object) -> None:
    """A document of another kind is named as a whole."""
    with pytest.raises(JobPayloadError, match="the document: expected a table"):
        parse_job(payload)


def test_fields_that_nobody_knows_are_fine() -> None:
    """A newer gitlab-runner writes more."""
    assert a_job(brand_new={"a": [1]}).id == 4711


def test_no_payload_file() -> None:
    """Called without gitlab-runner, the sentence says who calls."""
    with pytest.raises(JobPayloadError, match=r"JOB_RESPONSE_FILE is not set\. Only gitlab-runner"):
        read_job("")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not JSON"),
        (b'{"id": 1, "token": "hunt', "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "id: is missing"),
    ],
)
def test_a_broken_payload_file(tmp_path: Path, content: bytes, sentence: str) -> None:
    """The sentence has the path, and nothing of what is in the file."""
    path = tmp_path / "response.json"
    path.write_bytes(content)

    with pytest.raises(JobPayloadError, match=sentence) as caught:
        read_job(str(path))

    assert str(path) in str(caught.value)
    assert "hunt" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_payload_file_that_is_not_there(tmp_path: Path) -> None:
    """The sentence says why it cannot be read."""
    with pytest.raises(JobPayloadError, match="cannot be read: No such file or directory"):
        read_job(f"{tmp_path}/response.json")
    with pytest.raises(JobPayloadError, match="cannot be read: Is a directory"):
        read_job(str(tmp_path))


def test_a_payload_as_gitlab_runner_encodes_it(tmp_path: Path) -> None:
    """Go escapes <, > and &, and ends with a newline."""
    path = tmp_path / "response.json"
    payload = json.dumps(a_payload(variables=[a_variable("K", "<a & b>")]))
    path.write_text(payload.replace("<", "\\u003c").replace("&", "\\u0026") + "\n")

    assert read_job(str(path)).variables[0].value == "<a & b>"


def test_keys_of_resolved_secrets() -> None:
    """`secrets:` come from a vault: only their names stand in the payload."""
    job = a_job(secrets={"DB_PASSWORD": {"vault": {"path": "x"}, "file": False}, "OTHER": {}})

    assert job.secret_keys == ("DB_PASSWORD", "OTHER")
    assert a_job(secrets=None).secret_keys == ()


def test_whose_a_variable_is() -> None:
    """What does not come with the job comes from gitlab-runner and its administrator."""
    job = a_job(variables=[a_variable("A", "")], secrets={"B": {"vault": {}}})

    assert (job.sets("A"), job.sets("B"), job.sets("C")) == (True, True, False)


def test_a_secret_is_a_file_unless_the_job_says_otherwise() -> None:
    """gitlab-runner makes a file of it by default."""
    secrets = {"A": {"vault": {}}, "B": {"file": True}, "C": {"file": False}, "D": {"file": None}}

    assert a_job(secrets=secrets).file_keys == {"A", "B", "D"}


@pytest.mark.parametrize(
    ("url", "said", "expected"),
    [
        ("https://gitlab-ci-token:t@git.example/a/b.git", [], "https://git.example"),
        ("http://git.example:8080/a/b.git", [], "http://git.example:8080"),
        # GitLab below a path
        ("https://git.example/lab/a/b.git", ["https://git.example/lab"], "https://git.example/lab"),
        (
            "https://git.example/lab/a/b.git",
            ["https://git.example/lab/"],
            "https://git.example/lab",
        ),
        ("https://git.example/a/b.git", ["https://git.example"], "https://git.example"),
        # what a job's author may say instead
        ("https://git.example/a/b.git", ["https://evil.example"], "https://git.example"),
        (
            "https://git.example/a/b.git",
            ["https://git.example.evil.example"],
            "https://git.example",
        ),
        (
            "https://git.example/a/b.git",
            ["https://git.example@evil.example"],
            "https://git.example",
        ),
        ("https://git.example/a/b.git", ["https:", "https://", "", "/"], "https://git.example"),
        ("https://git.example/a/b.git", ["https://git.example/other"], "https://git.example"),
        ("https://git.example/a/b.git", ["https://git.example/a/../x"], "https://git.example"),
        ("https://git.example/lab/a", ["x", "https://git.example/lab"], "https://git.example/lab"),
        # none
        ("", ["https://git.example"], ""),
        ("git@git.example:a/b.git", ["https://git.example"], ""),
        ("ssh://git.example/a/b.git", [], ""),
        ("https://", [], ""),
        ("https:///a/b", [], ""),
    ],
)
def test_which_gitlab_a_job_is_from(url: str, said: list[str], expected: str) -> None:
    """The repository's server counts, and a variable only for the path below which GitLab lies there."""
    variables = [a_variable("CI_SERVER_URL", each) for each in said]

    assert a_job(git_info={"repo_url": url}, variables=variables).gitlab_url == expected


def test_half_a_character_of_a_payload_is_marked(tmp_path: Path) -> None:
    """What a job gets can be written, whatever JSON can spell."""
    path = tmp_path / "response.json"
    path.write_text('{"id": 1, "token": "\\ud800", "job_info": {"name": "\\ud83d\\ude00"}}')

    assert (read_job(str(path)).token, read_job(str(path)).name) == ("?", "\U0001f600")

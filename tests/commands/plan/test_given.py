"""What a job is planned from: plain and captured payloads, and the variables that go with them."""

import json
from pathlib import Path

import pytest

from executor.commands.plan.given import assumed_values, environment, read_given
from executor.errors import JobPayloadError
from executor.runner.captures import MARK
from tests.builders import a_job, a_payload, a_variable


def test_a_payload_alone_has_no_values(tmp_path: Path) -> None:
    """Nothing says how the variables were expanded."""
    path = tmp_path / "response.json"
    path.write_text(json.dumps(a_payload()))

    assert read_given(path, {"HOME": "/root"}).values is None


def test_the_variables_of_a_hook(tmp_path: Path) -> None:
    """A hook has the expanded variables in its own environment."""
    path = tmp_path / "response.json"
    path.write_text(json.dumps(a_payload()))

    assert read_given(path, {"CUSTOM_ENV_A": "1", "HOME": "/root"}).values == {"A": "1"}


def test_a_capture_brings_its_variables(tmp_path: Path) -> None:
    """A captured payload has both."""
    path = tmp_path / "1.json"
    path.write_text(json.dumps({MARK: 1, "payload": a_payload(), "values": {"A": "1"}}))

    given = read_given(path, {})

    assert given.values == {"A": "1"}
    assert given.payload == a_payload()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        (json.dumps({MARK: 2, "payload": {}, "values": {}}), "another version"),
        (json.dumps({MARK: 1, "payload": {}, "values": {"A": 1}}), "another version"),
    ],
)
def test_what_is_no_payload(tmp_path: Path, text: str, said: str) -> None:
    """The sentence has no word of the content."""
    path = tmp_path / "x"
    path.write_text(text)

    with pytest.raises(JobPayloadError, match=said):
        read_given(path, {})


def test_a_missing_payload(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(JobPayloadError, match="No such file"):
        read_given(tmp_path / "x", {})


def test_variables_are_expanded_as_gitlab_runner_does_it() -> None:
    """References, raw variables, files and gitlab-runner's own."""
    variables = [
        a_variable("A", "$B/$CI_PROJECT_DIR"),
        a_variable("B", "b"),
        a_variable("RAW", "$B", raw=True),
        a_variable("FILE", "content", file=True),
        a_variable("C", "$FILE"),
    ]
    job = a_job(variables=variables)
    payload = a_payload(job_info={"project_full_path": "g/p"})

    values = assumed_values(job, payload, "/builds")

    assert values["A"] == "b//builds/g/p"
    assert values["RAW"] == "$B"
    assert values["FILE"] == "content"
    assert values["C"] == "/builds/g/p.tmp/FILE"


def test_the_environment_has_only_the_jobs_variables() -> None:
    """Those of a job that this process belongs to stay behind."""
    found = environment({"A": "1"}, {"CUSTOM_ENV_B": "2", "HOME": "/root", "TMPDIR": "/x"})

    assert found == {"CUSTOM_ENV_A": "1", "HOME": "/root"}

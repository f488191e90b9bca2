"""The plan as JSON: everything that a job gets, and no value of a variable."""

import json

from executor.commands.plan.document import deciding_parts, document, shown_request
from executor.commands.plan.facts import EngineFacts
from executor.commands.plan.planning import Planned, plan_job
from executor.plan.credentials import Catalogue, Entry
from tests.builders import TOKEN, a_login, a_service, a_variable, some_inputs

SECRET = "a-secret-of-the-job"


def planned() -> Planned:
    """Return a job with a secret in every place where one may be."""
    inputs = some_inputs(
        services=[
            a_service("docker:28-dind", command=[f"--label=x={SECRET}"]),
            a_service("postgres:16", variables=[a_variable("PASSWORD", "$KEY")]),
        ],
        variables=[
            a_variable("KEY", SECRET, masked=True, public=False),
            a_variable("PLAIN", "a-plain-value"),
        ],
        image=a_service("docker:28", entrypoint=["sh", "-c", SECRET]),
        catalogue=Catalogue((Entry("registry.example.com", a_login(), "job payload"),)),
    )
    return plan_job(inputs, EngineFacts())


def test_no_value_is_shown() -> None:
    """Neither secret nor plain values of variables, nor logins, nor the token."""
    text = json.dumps(document(planned()))

    for value in (SECRET, "a-plain-value", "registry-password", TOKEN):
        assert value not in text
    assert SECRET not in json.dumps(deciding_parts(planned()))


def test_what_is_shown() -> None:
    """Containers, network, mounts, names, credential sources, privileges and images."""
    found = document(planned())
    containers = found["containers"]

    assert isinstance(containers, dict)
    assert set(containers) == {"build", "helper", "dind", "service-1"}
    assert containers["dind"]["privileges"]["Privileged"] is True
    assert containers["build"]["privileges"] == {}
    assert containers["service-1"]["variables"]["PASSWORD"] == "through stdin"
    assert containers["build"]["variables"]["PLAIN"] == "in the container's configuration"
    assert "/builds" in containers["build"]["mounts"]
    assert found["credentials"] == {
        "registry.example.com": {"source": "job payload", "job_is_logged_in": True}
    }
    assert found["variables"] == {"secret": ["CI_JOB_TOKEN", "KEY"]}


def test_a_login_is_named_with_its_image() -> None:
    """The source of the credentials that a pull would use, and null for an anonymous one."""
    inputs = some_inputs(
        image=a_service("registry.example.com/a:1"),
        catalogue=Catalogue((Entry("registry.example.com", a_login(), "job payload"),)),
    )

    images = document(plan_job(inputs, EngineFacts()))["images"]

    assert isinstance(images, dict)
    assert images["registry.example.com/a:1"]["credentials"] == "job payload"
    assert images["docker:29-dind"]["credentials"] is None
    assert images["docker:29-dind"]["named_by"] == "[dind] image"


def test_a_request_has_names_and_digests() -> None:
    """Variables lose their values, programs become a digest."""
    shown = shown_request({"Env": ["B=2", "A=1"], "Cmd": ["x" * 1000, "short"], "User": ""})

    assert shown["Env"] == ["A", "B"]
    assert str(shown["Cmd"]).startswith("['(1000 characters, sha256 ")
    assert shown["User"] == ""

"""What decides a part of a plan is what it differs by without."""

import pytest

from executor.bounds import toml_table
from executor.commands.plan.deciding import REFUSED, Deciding, differing, flat, other_settings
from executor.commands.plan.document import deciding_parts
from executor.commands.plan.facts import EngineFacts
from executor.commands.plan.planning import plan_job
from executor.errors import PolicyViolation
from executor.plan.inputs import Inputs
from executor.settings.file import Settings
from executor.spec import Surroundings
from tests.builders import a_service, a_variable, some_inputs

SETTINGS = """
[docker]
memory = "2g"
extra_hosts = ["git:10.0.0.1"]
network_mtu = 1400
[dind]
runtime = "sysbox-runc"
registry_mirrors = ["https://mirror.example.com"]
"""


def decided(
    settings: str = "", facts: EngineFacts | None = None, **job: object
) -> dict[str, list[str]]:
    """Return what decides the parts of a job's plan."""
    inputs = some_inputs(settings=settings, **job)  # type: ignore[arg-type]
    return Deciding(
        lambda inputs, facts: deciding_parts(plan_job(inputs, facts)),
        inputs,
        facts or EngineFacts(),
    ).all(toml_table(settings))


def test_a_line_of_the_settings() -> None:
    """Each part is traced to the line without which it would be otherwise."""
    found = decided(SETTINGS)

    assert found["containers/build/limits/Memory"] == ["`[docker] memory`"]
    assert found["containers/build/extra_hosts/git:10.0.0.1"] == ["`[docker] extra_hosts`"]
    assert found["network/mtu"] == ["`[docker] network_mtu`"]
    assert "`[dind] runtime`" in found["containers/dind/limits/Runtime"]
    mirror = "docker_daemon/arguments/--registry-mirror=https://mirror.example.com"
    assert found[mirror] == ["`[dind] registry_mirrors`"]


def test_a_default() -> None:
    """Where the settings say nothing, the switch counts that would change it."""
    found = decided()

    assert found["containers/dind"] == ["`[dind] mode`, which is not set"]
    assert found["containers/dind/privileges/Privileged"] == [
        "`[dind] privileged`, which is not set"
    ]
    assert found["containers/build/limits/PidsLimit"] == ["`[docker] pids_limit`, which is not set"]


def test_a_word_of_the_job() -> None:
    """A service, a user, and a variable among many that change nothing."""
    many = [a_variable(f"PLAIN_{number}", "x") for number in range(40)]
    found = decided(
        image=a_service("ruby:3", executor_opts={"docker": {"user": "1000", "platform": ""}}),
        services=[a_service("postgres:16")],
        variables=[*many, a_variable("FF_USE_INIT_WITH_DOCKER_EXECUTOR", "true")],
    )

    assert found["containers/service-0"] == ["the job's `services`"]
    assert found["containers/build/user"] == ["the job's `image:user`"]
    assert found["containers/build/limits/Init"] == [
        "the variable FF_USE_INIT_WITH_DOCKER_EXECUTOR"
    ]
    assert not any("PLAIN" in label for labels in found.values() for label in labels)


def test_a_fact() -> None:
    """What the engine says is named as such."""
    facts = EngineFacts(Surroundings(mtu=1400, mirrors=("https://m.example.com",)))

    found = decided(facts=facts)

    assert found["network/mtu"] == ["the Docker Engine and its host (mtu)"]


def test_what_lets_a_job_run_at_all() -> None:
    """A line without which the job would be refused is listed apart."""
    found = decided(
        '[docker]\nallowed_pull_policies = ["if-not-present"]\npull_policy = "if-not-present"',
        image=a_service("ruby:3", pull_policy=["if-not-present"]),
    )

    assert "`[docker] pull_policy`" not in found.get(REFUSED, [])


def test_a_refused_job_is_not_looked_into() -> None:
    """What planning raises is raised."""

    def refusing(_inputs: Inputs, _facts: EngineFacts) -> object:
        raise PolicyViolation("no")

    with pytest.raises(PolicyViolation):
        Deciding(refusing, some_inputs(), EngineFacts())


def test_each_line_is_left_out_once() -> None:
    """A line that is there goes; a switch that is not there is set otherwise; the rest stays."""
    found = dict(other_settings(toml_table(SETTINGS)))

    assert isinstance(found["`[docker] memory`"], Settings)
    assert found["`[docker] memory`"].docker.limits.memory == ""
    assert found["`[docker] memory`"].docker.network_mtu == 1400
    assert found["`[dind] mode`, which is not set"].dind.mode == "service"
    # without its runtime, the sidecar is privileged again
    assert found["`[dind] runtime`"].dind.privileged


def test_trees_are_compared_by_their_leaves() -> None:
    """What is missing as a whole counts once."""
    base = flat({"a": {"b": 1, "c": {"d": 2}}, "list": ["x", "y"]})
    other = flat({"a": {"b": 3}, "list": ["y"]})

    assert differing(base, other) == ["a/b", "a/c", "list/x"]

"""What travels from config to run in one variable."""

import json

import pytest

from executor.runner.context import RunContext
from executor.runner.environ import RUN_CONTEXT
from tests.builders import context_values

VALUES = context_values(key="4711-0123456789", job_id=4711, project_id=42)


def test_one_variable_carries_all_values() -> None:
    """What is read from the variable equals what was written into it."""
    carried = RunContext(VALUES).to_job_env()

    assert list(carried) == [RUN_CONTEXT]
    assert json.loads(carried[RUN_CONTEXT]) == VALUES
    assert RunContext(json.loads(carried[RUN_CONTEXT])).to_job_env() == carried


def test_the_names_are_those_of_the_key() -> None:
    """The job's objects are found without its settings and its payload."""
    names = RunContext(VALUES).names

    assert names.key == "4711-0123456789"
    assert "4711-0123456789" in names.build


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_missing(name: str) -> None:
    """The context of another version is not taken for one of this version."""
    with pytest.raises(KeyError):
        RunContext({key: value for key, value in VALUES.items() if key != name})

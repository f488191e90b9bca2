"""Variables, and how GitLab resolves the references between them."""

import pytest

from executor.local.project.variables import Variable, resolved_by_server
from tests.limited import limited


def test_the_server_resolves_chains_of_references() -> None:
    """What is unknown, a file, raw or a circle is left for the runner."""
    variables = [
        Variable("IMAGE", "$REGISTRY/app:$TAG"),
        Variable("REGISTRY", "$HOST:5000"),
        Variable("HOST", "registry"),
        Variable("TAG", "${UNKNOWN}-$FILE-$RAW-$$HOST"),
        Variable("FILE", "x", file=True),
        Variable("RAW", "$HOST", raw=True),
        Variable("LEFT", "l$RIGHT"),
        Variable("RIGHT", "r$LEFT"),
    ]
    values = {variable.key: variable.value for variable in resolved_by_server(variables)}
    assert values["IMAGE"] == "registry:5000/app:${UNKNOWN}-$FILE-$RAW-$$HOST"
    assert values["RAW"] == "$HOST"
    assert values["LEFT"] == "lr$LEFT"


def test_a_value_never_shows_in_a_repr() -> None:
    """A traceback may show a variable, not its value."""
    assert "hunter" not in repr(Variable("A", "hunter", masked=True))


@pytest.mark.parametrize(
    "chain",
    [
        "[('A' + str(n), f'$A{n - 1}' * 2) for n in range(1, 40)]",
        "[('A' + str(n), f'$A{n - 1}' * 2) for n in range(39, 0, -1)]",
        "[('A' + str(n), f'$A{n + 1}') for n in range(5000)]",
        "[('A1', '$A0' * 1000), ('A2', '$A1' * 1000)]",
    ],
)
@pytest.mark.parametrize("value", ["", "x" * 1000])
def test_variables_that_double_in_each_other(chain: str, value: str) -> None:
    """Neither time nor memory grows with what they stand for."""
    shown = limited(f"""
from executor.local.errors import PipelineError
from executor.local.project.variables import Variable, resolved_by_server
try:
    found = resolved_by_server([Variable("A0", {value!r}), *(Variable(*each) for each in {chain})])
    print(max(len(each.value) for each in found) <= 128 * 1024)
except PipelineError as error:
    print("too long" in str(error) and len(str(error)) < 300)
""")

    assert shown == "True\n"

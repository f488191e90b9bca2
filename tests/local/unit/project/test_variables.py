"""Variables, and how GitLab resolves the references between them."""

from executor.local.project.variables import Variable, resolved_by_server


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

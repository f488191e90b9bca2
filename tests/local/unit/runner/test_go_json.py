"""JSON as gitlab-runner writes it."""

from executor.local.runner.go_json import go_json


def test_json_is_written_as_go_writes_it() -> None:
    """Custom executors that compare text see what gitlab-runner would give them."""
    assert go_json({"a": "<é&>"}) == '{"a":"\\u003cé\\u0026\\u003e"}'

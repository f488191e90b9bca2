"""What a person types, and what the command answers without a job."""

import json

import pytest

from tests.local.calls import CALLS, PLAIN
from tests.local.conftest import Workbench


def test_named_jobs_run_alone(bench: Workbench) -> None:
    """The others are not even in the table."""
    bench.pipeline('one: {script: ["echo one"]}\ntwo: {script: ["echo two"]}')
    done = bench.run("two")
    assert done.exit_code == 0
    assert "\ntwo\n" in done.stdout
    assert "\none\n" not in done.stdout
    assert len(done.calls) == len(CALLS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--file", "none.yml"), "none.yml: no such pipeline file"),
        (("absent",), 'there is no job "absent"; the jobs are job'),
        (("--variable", "A"), "--variable: a value has no KEY="),
        (("--runner", "absent"), 'no runner named "absent"'),
        (("--timeout", "soon"), '--timeout "soon"'),
        (("--project-path", "x"), '--project-path "x"'),
        (("--hooks", "."), "--hooks and --config cannot be used together"),
        (("--listen", "127.0.0.1:x"), '"x" is not a port'),
        (("--listen", "192.0.2.1"), "cannot listen on 192.0.2.1"),
    ],
)
def test_wrong_usage_is_one_sentence_and_no_call(
    bench: Workbench, arguments: tuple[str, ...], words: str
) -> None:
    """The command exits with code 2 and calls no hook."""
    bench.pipeline(PLAIN)
    done = bench.run(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.calls == []


def test_rules_that_leave_nothing_are_told(bench: Workbench) -> None:
    """The error says that another branch may have jobs."""
    bench.pipeline("job: {script: [x], rules: [{if: $NEVER}]}")
    done = bench.run()
    assert done.exit_code == 2
    assert "the rules leave no job to run" in done.stderr


def test_the_report_is_written(bench: Workbench) -> None:
    """The report names every call with its seconds."""
    bench.pipeline(PLAIN)
    path = bench.directory / "report.json"
    bench.run("--report", str(path))
    (job,) = json.loads(path.read_text())
    assert [call["name"] for call in job["calls"]] == CALLS

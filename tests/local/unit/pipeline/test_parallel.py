"""Entries of the file that stand for several jobs."""

import pytest

from executor.local.pipeline.file import parse_pipeline
from executor.local.pipeline.model import Need
from tests.local.unit.pipeline.reading import assert_mistake, job


def test_each_cell_of_a_matrix_is_a_job() -> None:
    """It has the cell's variables over its own, its number, and a name that tells the cell."""
    text = "parallel: {matrix: [{A: [x, y], B: 1}, {A: z}]}, variables: {A: own, C: own}"
    jobs = parse_pipeline(f"job: {{script: [x], {text}}}", "ci.yml").jobs
    assert [found.name for found in jobs] == ["job: [x, 1]", "job: [y, 1]", "job: [z]"]
    assert [found.node for found in jobs] == [(1, 3), (2, 3), (3, 3)]
    values = [{item.key: item.value for item in found.variables} for found in jobs]
    assert values[1:] == [{"A": "y", "C": "own", "B": "1"}, {"A": "z", "C": "own"}]
    assert all(found.is_called("job") and found.is_called(found.name) for found in jobs)


def test_needs_and_dependencies_mean_all_parts_or_some() -> None:
    """The name of the entry stands for all, a matrix for its cells."""
    text = """
a: {stage: build, script: [x], parallel: 2}
b: {stage: build, script: [x], parallel: {matrix: [{V: [x, y]}]}}
c: {script: [x], needs: [a, {job: b, parallel: {matrix: [{V: y}]}}], dependencies: [a]}
"""
    found = parse_pipeline(text, "ci.yml").jobs[-1]
    assert found.needs == (Need("a 1/2"), Need("a 2/2"), Need("b: [y]"))
    assert found.dependencies == ("a 1/2", "a 2/2")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("parallel: 0", "1 to 200"),
        ("parallel: 201", "not 201"),
        ("parallel: {matrix: x}", ":matrix"),
        ("parallel: {other: 1}", '"other"'),
    ],
)
def test_a_mistake_is_named(text: str, word: str) -> None:
    """The sentence has the place."""
    assert_mistake(lambda: job(text), ["parallel", word])

"""Every metric follows the rules of Prometheus, and stands in the documentation."""

import re
from pathlib import Path

import pytest

from executor.commands.metrics.catalogue import COUNTED, GAUGE, LIVE, Metric

METRICS = (*COUNTED, *LIVE)
PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize("metric", METRICS, ids=[each.name for each in METRICS])
def test_a_name_is_as_prometheus_has_them(metric: Metric) -> None:
    """No name hides a unit or repeats its type, and buckets grow."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert not re.search(r"_(ms|milliseconds|minutes|mb|kb)\b", metric.name)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert not {"job", "instance", "le", "project", "image"} & set(metric.labels)
    assert metric.help.endswith((".", "?"))


def test_each_name_is_there_once() -> None:
    """Nothing has two meanings."""
    names = [each.name for each in METRICS]

    assert len(set(names)) == len(names)
    assert all(each.kind == GAUGE for each in LIVE)


def test_the_documentation_has_the_same_table() -> None:
    """Each metric stands there with its labels, and no other does."""
    rows = re.findall(r"^\| `(dind_executor_\w+)` \| (.*?)\|", PAGE.read_text(), re.MULTILINE)
    described = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    assert described == {each.full_name: each.labels for each in METRICS}

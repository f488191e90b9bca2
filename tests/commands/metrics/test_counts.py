"""Numbers out of records: exact, and with labels of closed lists alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.commands.metrics import catalogue
from executor.commands.metrics.catalogue import COUNTED, Metric
from executor.commands.metrics.counts import Counts
from executor.record.endings import Ended
from executor.record.ledger import Ledger
from tests.record.samples import a_job, a_record, thing

_WORDS = st.sampled_from(
    [
        "v",
        "at",
        "clock",
        "job",
        "key",
        "stage",
        "outcome",
        "seconds",
        "step",
        "reason",
        "result",
        "start",
        "did",
        "what",
        "from",
        "to",
        "bytes",
    ]
)


def counted(*records: dict[str, object]) -> Counts:
    counts = Counts()
    for each in records:
        counts.count(each)
    return counts


def value(counts: Counts, metric: Metric, *labels: str) -> float:
    return counts.series[metric.name][labels][0]


def observed(counts: Counts, metric: Metric, *labels: str) -> tuple[int, float]:
    """Return how many values a histogram has, and their sum."""
    *buckets, total = counts.series[metric.name][labels]
    return int(sum(buckets)), round(total, 3)


def test_stages_of_a_job() -> None:
    """Each call is in the histogram with what it was and how it ended, from its process's start."""
    counts = counted(*a_job())

    assert observed(counts, catalogue.STAGES, "prepare", "", "success") == (1, 2.04)
    assert observed(counts, catalogue.STAGES, "run", "get_sources", "success") == (1, 0.12)
    assert observed(counts, catalogue.STAGES, "run", "build_script", "script_failure") == (1, 3.03)
    assert observed(counts, catalogue.STAGES, "cleanup", "", "success") == (1, 0.54)


def test_phases_of_prepare() -> None:
    """Two pulls at the same time count once, as the job waits for both."""
    counts = counted(*a_job())

    assert observed(counts, catalogue.PHASES, "pull") == (1, 1.38)
    assert observed(counts, catalogue.PHASES, "network") == (1, 0.15)
    assert observed(counts, catalogue.PHASES, "start") == (1, 0.36)
    assert ("script",) not in counts.series[catalogue.PHASES.name]


def test_a_bucket_has_what_is_at_most_its_bound() -> None:
    """A bound belongs to its bucket, as Prometheus has it; the last bucket has the rest."""
    counts = Counts()
    metric = catalogue.CANCELS
    for each in (0.01, 0.02, 1000.0):
        counts.observe(metric, each)

    *buckets, _ = counts.series[metric.name][()]
    assert buckets == [1, 1, *[0] * 8, 1]


def test_pulls() -> None:
    """Each pull counts with how it went, and what it moved."""
    did = [
        thing("pull", 0, 1, image="a", bytes=100, policy="always"),
        thing("pull", 0, 1, image="b", why="registry_down", policy="if-not-present"),
        {"what": "image_of_host", "from": 1, "image": "b", "policy": "always"},
        thing("pull", 0, 1, image="c", why="of a later version", policy="never"),
    ]
    counts = counted(a_record("prepare", 1.0, 1.0, did=did))

    assert value(counts, catalogue.PULLS, "success", "always") == 1
    assert value(counts, catalogue.PULLS, "registry_down", "if-not-present") == 1
    assert value(counts, catalogue.PULLS, "image_of_host", "always") == 1
    assert value(counts, catalogue.PULLS, "other", "other") == 1
    assert value(counts, catalogue.PULL_BYTES) == 100


def test_what_goes_wrong() -> None:
    """Sidecars, lost containers, full disks, sweeps and ghosts have a counter each."""
    did = [
        {"what": "without_dind", "from": 1, "container": "dind"},
        {"what": "lost", "from": 1, "container": "service-3"},
        {"what": "disk_filled", "from": 1},
        thing("sweep", 0, 1, reason="owner-gone"),
        thing("sweep", 0, 1, reason="owner-gone", stays=2),
        {"what": "ghost_ended", "from": 1},
        thing("cancel", 0, 2),
        thing("dind", 0, 3, container="dind"),
    ]
    failed = {"outcome": "system_failure", "reason": "dind"}
    counts = counted(a_record("run", 1.0, 1.0, did=did, step="step_script", **failed))

    assert value(counts, catalogue.DIND_FAILURES, "left_out") == 1
    assert value(counts, catalogue.DIND_FAILURES, "failed") == 1
    assert value(counts, catalogue.LOST, "service") == 1
    assert value(counts, catalogue.DISK_FILLED) == 1
    assert value(counts, catalogue.REAPED, "owner-gone") == 1
    assert value(counts, catalogue.GHOSTS) == 1
    assert observed(counts, catalogue.CANCELS) == (1, 2.0)
    assert observed(counts, catalogue.DIND_WAITS) == (1, 3.0)


def test_what_reap_has_removed() -> None:
    """Its record is of no stage, and counts what it did."""
    did = [thing("sweep", 0, 1, reason="gitlab-over")]
    counts = counted(a_record("reap", 1.0, 1.0, key="", did=did))

    assert value(counts, catalogue.REAPED, "gitlab-over") == 1
    assert counts.series[catalogue.STAGES.name] == {}


def test_jobs_that_are_over() -> None:
    """A result that is none becomes one that is looked at."""
    counts = Counts()
    counts.end(Ended("k", "success", "none"))
    counts.end(Ended("k", "strange", "strange"))

    assert value(counts, catalogue.JOBS, "success", "none") == 1
    assert value(counts, catalogue.JOBS, "system_failure", "unknown") == 1


def test_labels_are_of_closed_lists() -> None:
    """Whatever stands in the spool, it makes no new label."""
    strange: dict[str, object] = {
        "stage": "x",
        "step": "y",
        "outcome": "z",
        "reason": 7,
        "did": [1, {}, {"what": "lost", "container": "$"}, {"what": ["a"]}, {"what": "sweep"}],
    }
    counts = counted(
        strange,
        {**strange, "stage": "run"},
        {**strange, "stage": "prepare", "did": {}},
        a_record("run", 1.0, float("nan"), step=None, start=10**400),
    )

    said = json.dumps(counts.as_json())
    assert not any(f'"{each}"' in said for each in ("x", "y", "z", "$", "7"))
    assert "NaN" not in said
    assert observed(counts, catalogue.STAGES, "run", "other", "success") == (1, 0.0)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)
_STAGE = st.sampled_from(["config", "prepare", "run", "cleanup"]) | _JSON


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(_WORDS, _JSON, max_size=8), max_size=4), st.lists(_STAGE))
def test_no_record_is_too_strange(records: list[dict[str, object]], stages: list[object]) -> None:
    """Whoever writes to the spool, counting goes on."""
    counts, ledger = Counts(), Ledger()
    for record in [*records, *({"key": "k", "stage": each} for each in stages)]:
        counts.count(record)
        for ended in ledger.note(record):
            counts.end(ended)
    said = json.dumps([counts.as_json(), ledger.as_json()])

    assert "NaN" not in said
    assert "Infinity" not in said


def test_what_is_asked_for_is_there_from_the_start() -> None:
    """An increase from nothing to one is none that Prometheus sees."""
    series = Counts().series

    assert series["jobs"]["system_failure", "dind"] == [0.0]
    assert series["dind_failures"]["failed",] == [0.0]
    assert all(
        series[each.name] for each in COUNTED if each not in {catalogue.STAGES, catalogue.PHASES}
    )


def test_numbers_go_on_in_another_process() -> None:
    """What one has counted, the next one takes up."""
    counts = counted(*a_job())

    again = Counts.from_json(json.loads(json.dumps(counts.as_json())))

    assert again.series == counts.series


@pytest.mark.parametrize("said", [None, [], {"jobs": [["success", "none", "x"]]}, {"jobs": 1}])
def test_numbers_that_are_none(said: object) -> None:
    """Whoever reads them begins with nothing then."""
    with pytest.raises((TypeError, ValueError)):
        Counts.from_json(said)


def test_a_metric_that_has_changed_begins_again() -> None:
    """Numbers of other buckets or labels cannot be added to."""
    said = Counts().as_json() | {"cancel_seconds": [[1.0, 2.0]], "gone": [[1.0]]}

    assert Counts.from_json(said).series == Counts().series

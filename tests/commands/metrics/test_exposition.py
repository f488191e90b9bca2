"""What Prometheus reads, by its own parser."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families

from executor.commands.metrics.catalogue import COUNTED, LIVE
from executor.commands.metrics.host import Seen
from executor.host.disk import Free, Place
from tests.commands.metrics.samples import LEFT, SEEN, a_scrape, families


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what a scrape has, by names and the values of labels in order."""
    return {
        (each.name, tuple(sorted(filter(None, each.labels.values())))): each.value
        for family in families(text)
        for each in family.samples
    }


def test_every_metric_is_in_a_scrape() -> None:
    """Nothing of the table is forgotten, and nothing else is there."""
    found = {each.name for each in families(a_scrape())}

    # The parser calls a counter by its name without `_total`.
    assert found == {f"dind_executor_{each.name}" for each in (*COUNTED, *LIVE)}


def test_a_histogram_adds_up() -> None:
    """Each bucket has what is in smaller ones, and the last one has all."""
    found = samples(a_scrape())
    name, labels = "dind_executor_stage_duration_seconds", ("prepare", "success")

    assert found[f"{name}_bucket", ("1.0", *labels)] == 0
    assert found[f"{name}_bucket", ("2.5", *labels)] == 1
    assert found[f"{name}_bucket", ("+Inf", *labels)] == found[f"{name}_count", labels] == 1
    assert round(found[f"{name}_sum", labels], 3) == 2.04


def test_values_are_what_was_seen() -> None:
    """Gauges have the numbers of the host."""
    found = samples(a_scrape())

    assert found["dind_executor_jobs_total", ("script", "script_failure")] == 1
    assert found["dind_executor_engine_up", ()] == 1
    assert found["dind_executor_jobs_present", ()] == 1
    assert found["dind_executor_disk_free_bytes", ("/var/lib/docker",)] == 100
    assert found["dind_executor_leftovers", ("undecided",)] == 1
    assert found["dind_executor_kept_bytes", ("sources_and_caches",)] == 5
    assert found["dind_executor_budget_bytes", ("sources_and_caches",)] == 2 * 1024**3
    assert found["dind_executor_doctor_checks", ("warn",)] == 1
    assert found["dind_executor_spool_lag_seconds", ()] == 1.5


def test_what_is_not_seen_is_left_out() -> None:
    """An engine that hangs is down, and nothing old is told of it."""
    names = {name for name, _ in samples(a_scrape(Seen(None, [], None)))}

    assert samples(a_scrape(Seen(None, [], None)))["dind_executor_engine_up", ()] == 0
    assert not {"dind_executor_jobs_present", "dind_executor_disk_free_bytes"} & names
    assert not {"dind_executor_leftovers", "dind_executor_doctor_checks"} & names


def test_a_sweep_that_failed_is_no_success() -> None:
    """When a sweep last went well is not known then."""
    assert LEFT.sweep is not None
    failed = LEFT._replace(sweep=LEFT.sweep._replace(error="x"))

    names = {name for name, _ in samples(a_scrape(SEEN._replace(left=failed)))}

    assert "dind_executor_reap_last_success_timestamp_seconds" not in names


def test_open_metrics() -> None:
    """Prometheus asks for its newer format, and gets it."""
    text = a_scrape(accepts="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")

    assert text.endswith("# EOF\n")
    found = list(open_families(text))  # type: ignore[no-untyped-call]
    assert len(found) == len((*COUNTED, *LIVE))


def test_names_that_need_quotes() -> None:
    """A directory may have any name."""
    name = '/data "x"\\y\n'
    seen = SEEN._replace(disks=[(Place(name, "/", 1), Free(1, None, 2))])

    found = samples(a_scrape(seen))

    assert found["dind_executor_disk_free_bytes", (name,)] == 1

"""A share of `tests.load.metrics`; that module says what it is."""

from tests.load import metrics


def test_counters_equal_the_jobs() -> None:
    """Twelve processes write at the same time, the exporter is killed, and each job counts once."""
    assert metrics.main(["--jobs=12", "--seed=1"]) == 0

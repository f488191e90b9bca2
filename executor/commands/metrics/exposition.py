"""Numbers as Prometheus reads them, by its own library."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from executor import __version__
from executor.commands.metrics import catalogue
from executor.commands.metrics.catalogue import COUNTED, COUNTER, PREFIX, Metric
from executor.commands.metrics.host import Host, keys_of
from executor.commands.metrics.left import LEVELS, VERDICTS, Left

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

    from executor.commands.metrics.counts import Counts
    from executor.disk.limits import Limits
    from executor.host.disk import Free, Place

Rows = Iterable[tuple[tuple[str, ...], float]]


def exposition(counts: "Counts", host: Host, lag: float | None, accepts: str) -> tuple[bytes, str]:
    """Return a scrape and its content type; `accepts` is what Prometheus asks for.

    `lag` is for how long the spool has not been read, None where it never has.
    """

    class All(Collector):
        def collect(self) -> Iterator["Family"]:
            yield from counted(counts)
            yield from live(host, lag)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(All())
    encode, content_type = choose_encoder(accepts)
    return encode(registry), content_type


def counted(counts: "Counts") -> Iterator["Family"]:
    """Yield what was counted."""
    for metric in COUNTED:
        name, series = f"{PREFIX}{metric.name}", counts.series[metric.name]
        if metric.kind == COUNTER:
            counter = CounterMetricFamily(name, metric.help, labels=metric.labels)
            for labels, numbers in sorted(series.items()):
                counter.add_metric(labels, numbers[0])
            yield counter
            continue
        histogram = HistogramMetricFamily(name, metric.help, labels=metric.labels)
        for labels, numbers in sorted(series.items()):
            histogram.add_metric(labels, _buckets(metric, numbers), numbers[-1])
        yield histogram


def live(host: Host, lag: float | None) -> Iterator["Family"]:
    """Yield what is there now; what cannot be seen is left out."""
    seen = host.look()
    engine, disks, left = seen.engine, seen.disks, seen.left
    version = engine.version if engine else ""
    yield _gauge(catalogue.BUILD_INFO, [((__version__, platform.python_version(), version), 1)])
    yield _gauge(catalogue.ENGINE_UP, [((), 0 if engine is None else 1)])
    if engine is not None:
        yield _gauge(catalogue.JOBS_PRESENT, [((), len(keys_of(engine.containers)))])
        yield _gauge(catalogue.NETWORKS_USED, [((), engine.networks_used)])
        yield _gauge(catalogue.NETWORKS_CAPACITY, [((), engine.networks_capacity)])
    if disks:
        yield from _of_disks(disks, host.limits)
    if left is not None:
        yield from _of_left(left)
    yield _gauge(catalogue.BUDGET_BYTES, [((kind,), size) for kind, size in host.budgets.items()])
    if lag is not None:
        yield _gauge(catalogue.SPOOL_LAG, [((), lag)])


def _of_disks(
    disks: Sequence[tuple["Place", "Free"]], limits: "Limits | None"
) -> Iterator["Family"]:
    free = [(place.name, each) for place, each in disks]
    inodes = [((name,), each.inodes) for name, each in free if each.inodes is not None]
    yield _gauge(catalogue.DISK_FREE_BYTES, [((name,), each.bytes) for name, each in free])
    yield _gauge(catalogue.DISK_FREE_INODES, inodes)
    if limits is not None:
        yield _gauge(catalogue.DISK_WANTED_BYTES, [((), limits.wanted_bytes)])


def _of_left(left: Left) -> Iterator["Family"]:
    sweep, doctor = left.sweep, left.doctor
    if sweep is not None and not sweep.error:
        yield _gauge(catalogue.LEFTOVERS, [((each,), sweep.verdicts[each]) for each in VERDICTS])
        yield _gauge(catalogue.SWEEP_SUCCESS, [((), sweep.at)])
    if left.measurement is not None:
        yield _gauge(catalogue.KEPT_BYTES, [((kind,), size) for kind, size in left.kept.items()])
        yield _gauge(catalogue.MEASURED, [((), left.measurement.at)])
    if doctor is not None:
        yield _gauge(catalogue.DOCTOR_CHECKS, [((each,), doctor.counts[each]) for each in LEVELS])
        yield _gauge(catalogue.DOCTOR_RUN, [((), doctor.at)])


def _gauge(metric: Metric, rows: Rows) -> "Family":
    family = GaugeMetricFamily(f"{PREFIX}{metric.name}", metric.help, labels=metric.labels)
    for labels, value in rows:
        family.add_metric(labels, value)
    return family


def _buckets(metric: Metric, numbers: Sequence[float]) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus has them: each with all that is in smaller ones."""
    bounds = (*map(str, metric.buckets), "+Inf")
    return list(zip(bounds, accumulate(numbers[:-1]), strict=True))

"""Makes deploy/grafana/dind-executor.json: `python -m tests.dashboard` writes it again."""

import json
from itertools import count
from pathlib import Path
from typing import cast

PATH = Path(__file__).parents[1] / "deploy" / "grafana" / "dind-executor.json"

_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_HERE = 'instance=~"$instance"'
_RATE = "$__rate_interval"

Panel = dict[str, object]
Query = tuple[str, str]
"""An expression, and what its lines are called."""


def _increase(metric: str, more: str = "") -> str:
    return f"increase(dind_executor_{metric}{{{_HERE}{more}}}[{_RATE}])"


def _quantile(share: float, metric: str, by: str = "", more: str = "") -> str:
    rate = f"rate(dind_executor_{metric}_bucket{{{_HERE}{more}}}[{_RATE}])"
    return f"histogram_quantile({share}, sum by (le{by}) ({rate}))"


def _gauge(metric: str, more: str = "") -> str:
    return f"dind_executor_{metric}{{{_HERE}{more}}}"


def _panel(title: str, kind: str, unit: str, width: int, *queries: Query, **more: object) -> Panel:
    """Return a panel; where it stands is decided later."""
    return {
        "type": kind,
        "title": title,
        "datasource": _SOURCE,
        "gridPos": {"w": width, "h": 4 if kind == "stat" else 8},
        "fieldConfig": {"defaults": {"unit": unit, **_custom(kind, unit, more)}, "overrides": []},
        "options": _options(kind),
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": kind == "stat",
                "range": kind != "stat",
            }
            for place, (expression, legend) in enumerate(queries)
        ],
        **({"description": more["description"]} if "description" in more else {}),
    }


def _custom(kind: str, unit: str, more: dict[str, object]) -> dict[str, object]:
    steps = more.get("steps")
    known: dict[str, object] = {"decimals": 0} if unit == "none" else {}
    if steps:
        known["thresholds"] = {"mode": "absolute", "steps": steps}
        known["color"] = {"mode": "thresholds"}
    if kind == "timeseries":
        stacked = bool(more.get("stacked"))
        known["custom"] = {
            "drawStyle": "bars" if stacked else "line",
            "fillOpacity": 60 if stacked else 8,
            "stacking": {"mode": "normal" if stacked else "none"},
        }
        known["min"] = 0
    return known


def _options(kind: str) -> dict[str, object]:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}


def _good_below(limit: float) -> list[dict[str, object]]:
    return [{"color": "green", "value": None}, {"color": "red", "value": limit}]


def _good_from(limit: float) -> list[dict[str, object]]:
    return [{"color": "red", "value": None}, {"color": "green", "value": limit}]


_WANTED = _gauge("disk_wanted_bytes")
_LEFT = _gauge("leftovers", ', verdict!="keep"')
_FINDINGS = _gauge("doctor_checks", ', level=~"warn|fail|error"')
_DAY = f"dind_executor_jobs_total{{{_HERE}"
_ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Now",
        (
            _panel("Hosts", "stat", "none", 4, (f"count({_gauge('build_info')})", "")),
            _panel("Jobs now", "stat", "none", 4, (f"sum({_gauge('jobs_present')})", "")),
            _panel("Jobs today", "stat", "none", 4, (f"sum(increase({_DAY}}}[24h]))", "")),
            _panel(
                "Failed by the host today",
                "stat",
                "none",
                4,
                (f'sum(increase({_DAY}, result="system_failure"}}[24h]))', ""),
                steps=_good_below(1),
            ),
            _panel(
                "Engines down",
                "stat",
                "none",
                4,
                (f"count({_gauge('engine_up')} == 0) or vector(0)", ""),
                steps=_good_below(1),
            ),
            _panel(
                "Room until jobs are refused",
                "stat",
                "bytes",
                4,
                (
                    f"min({_gauge('disk_free_bytes')} - on (instance) group_left () {_WANTED})",
                    "",
                ),
                steps=_good_from(10 * 1024**3),
                description="The fullest disk of all hosts.",
            ),
        ),
    ),
    (
        "Jobs",
        (
            _panel(
                "Jobs by result",
                "timeseries",
                "none",
                12,
                (f"sum by (result) ({_increase('jobs_total')})", "{{result}}"),
                stacked=True,
            ),
            _panel(
                "Failures by the host, by reason",
                "timeseries",
                "none",
                12,
                (
                    "sum by (reason) ("
                    + _increase("jobs_total", ', result="system_failure"')
                    + ") > 0",
                    "{{reason}}",
                ),
                stacked=True,
            ),
            _panel(
                "Share of jobs that fail by the host",
                "timeseries",
                "percentunit",
                12,
                (
                    "sum by (instance) ("
                    + _increase("jobs_total", ', result="system_failure"')
                    + f") / sum by (instance) ({_increase('jobs_total')})",
                    "{{instance}}",
                ),
            ),
            _panel(
                "Jobs by host",
                "timeseries",
                "none",
                12,
                (_gauge("jobs_present"), "{{instance}}"),
                description="gitlab-runner's own metrics have the jobs that wait (gitlab_runner_jobs).",
            ),
        ),
    ),
    (
        "Where time goes",
        (
            _panel(
                "Prepare",
                "timeseries",
                "s",
                8,
                *(
                    (_quantile(share, "stage_duration_seconds", more=', stage="prepare"'), name)
                    for share, name in ((0.5, "half"), (0.9, "9 of 10"), (0.99, "99 of 100"))
                ),
            ),
            _panel(
                "Phases of prepare, 9 of 10",
                "timeseries",
                "s",
                8,
                (_quantile(0.9, "prepare_phase_duration_seconds", ", phase"), "{{phase}}"),
            ),
            _panel(
                "Steps of jobs, half of them",
                "timeseries",
                "s",
                8,
                (
                    _quantile(0.5, "stage_duration_seconds", ", sub_stage", ', stage="run"'),
                    "{{sub_stage}}",
                ),
            ),
            _panel(
                "Cleanup",
                "timeseries",
                "s",
                12,
                *(
                    (_quantile(share, "stage_duration_seconds", more=', stage="cleanup"'), name)
                    for share, name in ((0.5, "half"), (0.9, "9 of 10"))
                ),
            ),
            _panel(
                "After a cancel",
                "timeseries",
                "s",
                12,
                (_quantile(0.9, "cancel_seconds"), "9 of 10"),
            ),
        ),
    ),
    (
        "Docker in jobs",
        (
            _panel(
                "Scripts wait for the Docker daemon",
                "timeseries",
                "s",
                8,
                *(
                    (_quantile(share, "dind_wait_seconds"), name)
                    for share, name in ((0.5, "half"), (0.9, "9 of 10"))
                ),
            ),
            _panel(
                "Sidecars that failed",
                "timeseries",
                "none",
                8,
                (f"sum by (effect) ({_increase('dind_failures_total')})", "{{effect}}"),
                stacked=True,
            ),
            _panel(
                "Containers lost",
                "timeseries",
                "none",
                8,
                (f"sum by (container) ({_increase('containers_lost_total')})", "{{container}}"),
                stacked=True,
            ),
        ),
    ),
    (
        "Registries",
        (
            _panel(
                "Pulls by result",
                "timeseries",
                "none",
                12,
                (f"sum by (result) ({_increase('image_pulls_total')}) > 0", "{{result}}"),
                stacked=True,
            ),
            _panel(
                "Pulled",
                "timeseries",
                "Bps",
                12,
                (
                    f"sum by (instance) (rate({_gauge('image_pull_bytes_total')}[{_RATE}]))",
                    "{{instance}}",
                ),
            ),
        ),
    ),
    (
        "What is left and kept",
        (
            _panel(
                "Jobs of dead gitlab-runners",
                "timeseries",
                "none",
                8,
                (f"sum by (reason) ({_increase('reaped_total')}) > 0", "removed: {{reason}}"),
                (f"sum({_increase('ghosts_reported_total')})", "ended in GitLab"),
                (f"sum by (verdict) ({_LEFT})", "{{verdict}}"),
            ),
            _panel(
                "Since the last sweep",
                "timeseries",
                "s",
                8,
                (f"time() - {_gauge('reap_last_success_timestamp_seconds')}", "{{instance}}"),
            ),
            _panel(
                "Kept, and its limit",
                "timeseries",
                "bytes",
                8,
                (f"sum by (kind) ({_gauge('kept_bytes')})", "{{kind}}"),
                (f"sum by (kind) ({_gauge('budget_bytes')})", "limit of {{kind}}"),
                description="As `dind-executor prune` last measured it.",
            ),
        ),
    ),
    (
        "Hosts",
        (
            _panel(
                "Free on the engines' disks",
                "timeseries",
                "bytes",
                8,
                (_gauge("disk_free_bytes"), "{{instance}} {{mount}}"),
            ),
            _panel(
                "Free inodes",
                "timeseries",
                "short",
                8,
                (_gauge("disk_free_inodes"), "{{instance}} {{mount}}"),
            ),
            _panel(
                "Addresses for networks of jobs",
                "timeseries",
                "percentunit",
                8,
                (f"{_gauge('networks_used')} / {_gauge('networks_capacity')}", "{{instance}}"),
            ),
            _panel(
                "Findings of doctor",
                "timeseries",
                "none",
                8,
                (
                    f"sum by (level) ({_FINDINGS})",
                    "{{level}}",
                ),
            ),
            _panel(
                "Versions",
                "timeseries",
                "none",
                8,
                (
                    f"count by (version, engine) ({_gauge('build_info')})",
                    "{{version}} on {{engine}}",
                ),
                stacked=True,
            ),
            _panel(
                "How far behind the counters are",
                "timeseries",
                "s",
                8,
                (_gauge("spool_lag_seconds"), "{{instance}}"),
            ),
        ),
    ),
)


def dashboard() -> dict[str, object]:
    """Return the dashboard."""
    return {
        "uid": "dind-executor",
        "title": "dind-executor",
        "description": "Jobs that build images: how they end, where their time goes, what their hosts have left.",
        "tags": ["gitlab-runner", "dind-executor"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                {
                    "name": "instance",
                    "label": "Host",
                    "type": "query",
                    "datasource": _SOURCE,
                    "query": "label_values(dind_executor_build_info, instance)",
                    "refresh": 2,
                    "includeAll": True,
                    "multi": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                    "sort": 1,
                },
            ]
        },
        "panels": _placed(),
    }  # fmt: skip


def _placed() -> list[Panel]:
    """Return all panels row by row, each with its number and its place."""
    numbers = count(1)
    placed: list[Panel] = []
    top = 0
    for title, panels in _ROWS:
        place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        placed.append(
            {"type": "row", "title": title, "id": next(numbers), "gridPos": place, "collapsed": False, "panels": []}
        )  # fmt: skip
        top, left, height = top + 1, 0, 0
        for panel in panels:
            size = panel["gridPos"]
            assert isinstance(size, dict)
            if left + size["w"] > _WIDTH:
                top, left, height = top + height, 0, 0
            placed.append({**panel, "id": next(numbers), "gridPos": {"x": left, "y": top, **size}})
            left, height = left + size["w"], max(height, size["h"])
        top += height
    return placed


def queries() -> list[tuple[str, str]]:
    """Return each expression with its panel's title."""
    return [
        (str(panel["title"]), str(target["expr"]))
        for panel in _placed()
        for target in cast("list[dict[str, object]]", panel.get("targets", []))
    ]


def text() -> str:
    """Return the file's content."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")

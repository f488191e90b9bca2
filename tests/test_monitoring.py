"""Alerts, the dashboard and the runbooks: of metrics that there are, and right in what they say."""

import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from executor.commands.metrics.catalogue import COUNTED, LIVE
from tests import dashboard
from tests.commands.metrics.samples import a_scrape, families

DEPLOY = Path(__file__).parents[1] / "deploy"
RUNBOOKS = Path(__file__).parents[1] / "docs" / "runbooks.md"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
ELSEWHERE = {"up", "gitlab_runner_version_info"}
"""Metrics of Prometheus and of gitlab-runner."""

HOST = 'instance="a:9477"'
JOBS = "dind_executor_jobs_total"
STAGES = 'dind_executor_stage_duration_seconds_bucket{instance="a:9477", stage="prepare"'
CANCELS = 'dind_executor_cancel_seconds_bucket{instance="a:9477"'

HEALTHY = {
    f'{JOBS}{{{HOST}, result="success", reason="none"}}': "0+10x600",
    f'{JOBS}{{{HOST}, result="system_failure", reason="lost"}}': "0x600",
    f'{JOBS}{{{HOST}, result="script_failure", reason="script"}}': "0+9x600",
    f"dind_executor_engine_up{{{HOST}}}": "1x600",
    f'dind_executor_dind_failures_total{{{HOST}, effect="failed"}}': "0x600",
    f'dind_executor_disk_free_bytes{{{HOST}, mount="/d"}}': "500000000000x600",
    f"dind_executor_disk_wanted_bytes{{{HOST}}}": "2000000000x600",
    f'dind_executor_disk_free_inodes{{{HOST}, mount="/d"}}': "9000000x600",
    f'dind_executor_image_pulls_total{{{HOST}, result="success"}}': "0+9x600",
    f'dind_executor_image_pulls_total{{{HOST}, result="registry_down"}}': "0x600",
    f'{STAGES}, le="60"}}': "0+9x600",
    f'{STAGES}, le="300"}}': "0+9x600",
    f'{STAGES}, le="+Inf"}}': "0+9x600",
    f'{CANCELS}, le="1"}}': "0+9x600",
    f'{CANCELS}, le="60"}}': "0+9x600",
    f'{CANCELS}, le="+Inf"}}': "0+9x600",
    f'dind_executor_containers_lost_total{{{HOST}, container="build"}}': "0x600",
    f'dind_executor_reaped_total{{{HOST}, reason="owner-gone"}}': "0x600",
    f'dind_executor_reaped_total{{{HOST}, reason="cleanup-failed"}}': "0+1x600",
    f"dind_executor_build_info{{{HOST}}}": "1x600",
    'gitlab_runner_version_info{instance="a:9252"}': "1x600",
    'gitlab_runner_version_info{instance="b:9252"}': "1x600",
    f'dind_executor_leftovers{{{HOST}, verdict="keep"}}': "5x600",
    f'dind_executor_leftovers{{{HOST}, verdict="remove"}}': "0x600",
    f"dind_executor_reap_last_success_timestamp_seconds{{{HOST}}}": "0+300x600",
    f"dind_executor_networks_used{{{HOST}}}": "7x600",
    f"dind_executor_networks_capacity{{{HOST}}}": "100x600",
    f'dind_executor_kept_bytes{{{HOST}, kind="images"}}': "100x600",
    f'dind_executor_budget_bytes{{{HOST}, kind="images"}}': "100x600",
    f'dind_executor_doctor_checks{{{HOST}, level="fail"}}': "0x600",
    f'dind_executor_doctor_checks{{{HOST}, level="ok"}}': "30x600",
    'up{instance="a:9477", job="dind-executor"}': "1x600",
    f"dind_executor_spool_lag_seconds{{{HOST}}}": "0x600",
    f"dind_executor_spool_gaps_total{{{HOST}}}": "0x600",
    f"dind_executor_spool_bad_lines_total{{{HOST}}}": "0x600",
    f"dind_executor_jobs_ended_for_disk_total{{{HOST}}}": "0x600",
}
"""What a host without a fault has, from five minutes to five minutes."""

FAULTS: dict[str, dict[str, str]] = {
    "DindExecutorJobsFailBySystem": {
        f'{JOBS}{{{HOST}, result="system_failure", reason="lost"}}': "0+2x600"
    },
    "DindExecutorEngineDown": {f"dind_executor_engine_up{{{HOST}}}": "0x600"},
    "DindExecutorDindNotReady": {
        f'dind_executor_dind_failures_total{{{HOST}, effect="failed"}}': "0+1x600"
    },
    "DindExecutorDiskFull": {
        f'dind_executor_disk_free_bytes{{{HOST}, mount="/d"}}': "1999999999x600"
    },
    "DindExecutorDiskFillsUp": {
        f'dind_executor_disk_free_bytes{{{HOST}, mount="/d"}}': "22000000000-65000000x600"
    },
    "DindExecutorInodesLow": {f'dind_executor_disk_free_inodes{{{HOST}, mount="/d"}}': "1000x600"},
    "DindExecutorRegistryFails": {
        f'dind_executor_image_pulls_total{{{HOST}, result="registry_down"}}': "0+1x600"
    },
    "DindExecutorPrepareSlow": {
        f'{STAGES}, le="60"}}': "0+1x600",
        f'{STAGES}, le="300"}}': "0+9x600",
    },
    "DindExecutorContainersLost": {
        f'dind_executor_containers_lost_total{{{HOST}, container="build"}}': "0+1x600"
    },
    "DindExecutorGitlabRunnerDied": {
        f'dind_executor_reaped_total{{{HOST}, reason="owner-gone"}}': "0x110 1x400"
    },
    "DindExecutorRunnerGone": {'gitlab_runner_version_info{instance="a:9252"}': "_x600"},
    "DindExecutorLeftoversStay": {f'dind_executor_leftovers{{{HOST}, verdict="remove"}}': "1x600"},
    "DindExecutorReaperStale": {
        f"dind_executor_reap_last_success_timestamp_seconds{{{HOST}}}": "0x600"
    },
    "DindExecutorNetworksExhausted": {f"dind_executor_networks_used{{{HOST}}}": "81x600"},
    "DindExecutorCancelSlow": {f'{CANCELS}, le="1"}}': "0x600"},
    "DindExecutorOverBudget": {
        f'dind_executor_kept_bytes{{{HOST}, kind="images"}}': "111x600",
        f"dind_executor_reap_last_success_timestamp_seconds{{{HOST}}}": "0+3600x600",
    },
    "DindExecutorDoctorFails": {f'dind_executor_doctor_checks{{{HOST}, level="fail"}}': "1x600"},
    "DindExecutorMetricsGone": {'up{instance="a:9477", job="dind-executor"}': "0x600"},
    "DindExecutorSpoolBehind": {f"dind_executor_spool_lag_seconds{{{HOST}}}": "61x600"},
    "DindExecutorRecordsLost": {f"dind_executor_spool_gaps_total{{{HOST}}}": "0x100 1x500"},
    "DindExecutorJobsFillDisk": {
        f"dind_executor_jobs_ended_for_disk_total{{{HOST}}}": "0x100 1x500"
    },
}
"""What is otherwise where an alert comes; whatever is not named is as on a host without a fault."""

SLOW = {"DindExecutorOverBudget"}
NEVER = {f"dind_executor_spool_lag_seconds{{{HOST}}}": "_x600"}


def rules() -> list[dict[str, object]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found = group["rules"]
    assert isinstance(found, list)
    return found


def expressions() -> list[tuple[str, str]]:
    alerts = [(str(each["alert"]), str(each["expr"])) for each in rules()]
    return [*alerts, *dashboard.queries()]


def rendered(expression: str) -> str:
    """Return an expression as Grafana sends it."""
    return expression.replace("$__rate_interval", "5m").replace("$instance", ".*")


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression names, by Prometheus's grammar."""
    found = set()

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name
            found.add(node.name)
        for name in dir(node):
            if name in {"expr", "lhs", "rhs", "vector_selector", "param"}:
                visit(getattr(node, name))
        if isinstance(node, promql_parser.Call):
            for each in node.args:
                visit(each)

    visit(promql_parser.parse(rendered(expression)))
    return found


@pytest.mark.parametrize(("name", "expression"), expressions())
def test_whatever_is_asked_for_is_there(name: str, expression: str) -> None:
    """Each metric of an alert or a panel is in a scrape."""
    there = {sample.name for family in families(a_scrape()) for sample in family.samples}
    named = metrics_in(expression)

    assert named, name
    assert named <= there | ELSEWHERE, name


def test_each_metric_is_shown_or_watched() -> None:
    """What nobody asks for need not be counted, but for what people ask for by hand."""
    named = {each for _, expression in expressions() for each in metrics_in(expression)}
    bare = {re.sub(r"_(bucket|count|sum)$", "", each) for each in named}

    assert {each.full_name for each in (*COUNTED, *LIVE)} - bare == {
        "dind_executor_measured_timestamp_seconds",
        "dind_executor_doctor_timestamp_seconds",
    }


def test_what_names_a_metric_that_is_none_is_found() -> None:
    """A walk that misses a part of an expression would prove nothing."""
    assert metrics_in("sum by (x) (increase(a[5m])) / on (y) (b unless c{d='e'}) > topk(3, f)") == {
        *"abcf"
    }
    assert metrics_in("histogram_quantile(0.9, rate(g[5m])) + -h or vector(1) > (i offset 5m)") == {
        *"ghi"
    }


def test_each_alert_has_what_on_call_needs() -> None:
    """How bad it is, what it is, what to type next, and where more stands."""
    for each in rules():
        labels, annotations = each["labels"], each["annotations"]
        assert isinstance(labels, dict)
        assert isinstance(annotations, dict)
        assert labels["severity"] in {"critical", "warning", "info"}
        assert set(annotations) == {"summary", "description", "runbook_url"}
        assert annotations["summary"].endswith(".")
        assert annotations["description"].endswith((".", "?"))


def test_each_alert_has_a_runbook() -> None:
    """Its anchor is there, with symptom, check and remedy, and no anchor is of nothing."""
    sections = re.split(r"^### ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    texts = {each.partition("\n")[0]: each for each in sections}
    urls = {str(each["alert"]): each["annotations"]["runbook_url"] for each in rules()}  # type: ignore[index]

    assert set(texts) == set(urls)
    for name, text in texts.items():
        assert urls[name] == f"docs/runbooks.md#{name.lower()}"
        assert all(f"**{each}:**" in text for each in ("Means", "Look at", "Then")), name


def test_the_dashboard_is_what_makes_it() -> None:
    """`python -m tests.dashboard` writes it again."""
    assert dashboard.PATH.read_text() == dashboard.text()


def test_the_dashboard_has_no_hole() -> None:
    """Panels have numbers of their own and do not lie over each other, and each says where it reads."""
    found = dashboard.dashboard()["panels"]
    assert isinstance(found, list)
    cells = [
        (place["x"] + right, place["y"] + down)
        for place in (each["gridPos"] for each in found)
        for right in range(place["w"])
        for down in range(place["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({each["id"] for each in found}) == len(found)
    assert all(
        each["datasource"]["uid"] == "${datasource}" for each in found if each["type"] != "row"
    )


# --- promtool ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("there is no promtool")
    return found


def test_prometheus_takes_the_alerts(promtool: str) -> None:
    """Its own tool finds no fault in the file, and templates are right."""
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", ALERTS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


@pytest.mark.parametrize(("step", "eval_time"), [("5m", "10h"), ("1h", "60h")])
def test_each_alert_comes_alone(promtool: str, tmp_path: Path, step: str, eval_time: str) -> None:
    """A host without a fault has no alert, and each fault has its own, by Prometheus's own engine."""
    assert set(FAULTS) == {str(each["alert"]) for each in rules()}
    all_cases = [("", {}), ("DindExecutorSpoolBehind", NEVER), *FAULTS.items()]
    # One alert waits for two days: it is tried by the hour.
    cases = [each for each in all_cases if (each[0] in SLOW) == (step == "1h")]
    path = tmp_path / "cases.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(ALERTS)],
                "evaluation_interval": step,
                "tests": [_case(name, fault, step, eval_time) for name, fault in cases],
            }
        )
    )

    done = subprocess.run(
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def _case(name: str, fault: dict[str, str], step: str, eval_time: str) -> dict[str, object]:
    """Return what Prometheus is given, and the one alert that has to come."""
    series = {**HEALTHY, **fault}
    assert set(series) == set(HEALTHY), name
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1}] if name else []
    return {
        "name": name or "no fault",
        "interval": step,
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": eval_time,
                "exp_samples": expected,
            }
        ],
    }

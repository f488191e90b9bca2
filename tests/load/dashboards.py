"""A real Prometheus, which reads `dind-executor metrics` and answers all that the dashboard asks for.

`python -m tests.load.dashboards --prometheus PATH` has jobs leave records for half a minute, and fails
where a panel is empty that must not be, or where an alert comes though nothing is wrong.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import dashboard
from tests.load.metrics import exporter, leave_jobs
from tests.web import direct

_ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
_CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{alerts}"]
scrape_configs:
  - job_name: dind-executor
    static_configs: [{{targets: ["{target}"]}}]
"""
_NEED = ("jobs_total", "stage_duration", "prepare_phase", "image_pull")
"""What a panel asks for that must have something to show here."""


@contextmanager
def prometheus(program: str, directory: Path, target: str) -> Iterator[str]:
    """Run one until the block ends; give its address."""
    config = directory / "prometheus.yml"
    config.write_text(_CONFIG.format(alerts=_ALERTS, target=target))
    address = "127.0.0.1:19490"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address={address}",
            "--log.level=warn",
        ]
    )
    try:
        yield f"http://{address}/api/v1/query?"
    finally:
        process.terminate()
        process.wait(30)


def ask(url: str, expression: str) -> list[dict[str, object]]:
    """Return what Prometheus answers."""
    query = urllib.parse.urlencode({"query": expression})
    with direct().open(f"{url}{query}", timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    assert isinstance(found, list)
    return found


def look(url: str) -> list[str]:
    """Print what each panel shows; return what is wrong."""
    wrong = []
    for title, expression in dashboard.queries():
        found = ask(url, expression.replace("$__rate_interval", "30s").replace("$instance", ".*"))
        print(f"{title:40} {len(found):3} lines")
        if not found and any(each in expression for each in _NEED) and "> 0" not in expression:
            wrong.append(f"{title} is empty")
    alerts = ask(url, 'ALERTS{alertname!~"DindExecutorEngineDown|DindExecutorJobsFailBySystem"}')
    return [*wrong, *(f"an alert comes: {each['metric']}" for each in alerts)]


def main(args: list[str]) -> int:
    """Try it; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prometheus", default="prometheus", help="the program (2.40 or later)")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="dashboards-") as name:
        directory = Path(name)
        settings = directory / "settings.toml"
        settings.write_text(
            f'[docker]\nhost = "unix://{name}/none.sock"\n[sweep]\nstate_dir = "{name}"\n'
        )
        with exporter(settings) as (_, url):
            target = url.removeprefix("://").rstrip("/")
            with prometheus(given.prometheus, directory, target) as address:
                for number in range(10):
                    leave_jobs(f"{name}/spool", number, 100)
                    time.sleep(2)
                wrong = look(address)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

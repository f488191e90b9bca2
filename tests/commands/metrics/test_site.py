"""Which path shows what, of a host that has run the sample job."""

from http import HTTPStatus
from pathlib import Path

import pytest

from executor.commands.metrics.host import Host
from executor.commands.metrics.keeper import Keeper
from executor.commands.metrics.site import Site
from executor.runner.environ import RunnerEnv
from executor.settings.file import read_settings
from tests.commands.metrics.page.samples import leave
from tests.record.samples import KEY, a_job


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "spool").mkdir()
    text = f'[docker]\nhost = "unix://{tmp_path}/none.sock"\n[sweep]\nstate_dir = "{tmp_path}"\n'
    host = Host(read_settings(text, "x"), RunnerEnv({}))
    return Site(Keeper(str(tmp_path), f"{tmp_path}/spool"), host, f"{tmp_path}/spool")


@pytest.mark.parametrize(
    ("path", "content_type", "words"),
    [
        ("/", "text/html; charset=utf-8", "The Docker Engine does not answer."),
        (f"/jobs/{KEY}", "text/html; charset=utf-8", "Job 4711"),
        ("/style.css", "text/css; charset=utf-8", "prefers-color-scheme"),
        ("/icon.svg", "image/svg+xml", "<svg"),
        ("/metrics", "text/plain; version=", "dind_executor_jobs_total"),
    ],
)
def test_pages(site: Site, tmp_path: Path, path: str, content_type: str, words: str) -> None:
    """Each has its type, and what it is about."""
    leave(tmp_path / "spool", *a_job())

    answer = site.serve(path, {})

    assert answer.status is HTTPStatus.OK
    assert answer.content_type.startswith(content_type)
    assert words in answer.body.decode()


@pytest.mark.parametrize(
    "path", ["/none", "/jobs/", "/jobs/none", "//", "", "/style.css/", "/../etc/passwd", "/page"]
)
def test_pages_that_are_none(site: Site, path: str) -> None:
    """Nothing else is there, and no file is looked for."""
    assert site.serve(path, {}).status is HTTPStatus.NOT_FOUND


def test_a_job_that_runs_has_a_page(site: Site, tmp_path: Path) -> None:
    """From its first call on."""
    leave(tmp_path / "spool", *a_job()[:1])

    assert "Runs. Last heard of" in site.serve(f"/jobs/{KEY}", {}).body.decode()


def test_what_was_read_before_is_shown(site: Site, tmp_path: Path) -> None:
    """Reading it beforehand changes nothing about a page."""
    leave(tmp_path / "spool", *a_job()[:1])
    site.warm_up()
    leave(tmp_path / "spool", *a_job()[1:])

    assert "because of the job author" in site.serve(f"/jobs/{KEY}", {}).body.decode()


def test_health(site: Site) -> None:
    """It is well once the records have been read."""
    assert site.serve("/healthz", {}).status is HTTPStatus.SERVICE_UNAVAILABLE
    site.serve("/metrics", {})

    assert site.serve("/healthz", {}).status is HTTPStatus.OK
    assert site.lag() is not None

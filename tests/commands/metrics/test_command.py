"""`dind-executor metrics`, called as an administrator and systemd do."""

import signal
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from executor.record import spool, stage
from tests.commanding import ENVIRONMENT, call
from tests.patience import LONGEST_SECONDS
from tests.record.samples import a_job
from tests.web import direct

OPENER = direct()
COMMAND = (sys.executable, "-I", "-m", "executor", "metrics")


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """Return the settings of a host without an engine on which the sample job has run."""
    leave(tmp_path)
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[docker]\nhost = "unix://{tmp_path}/none.sock"\n[sweep]\nstate_dir = "{tmp_path}"\n'
    )
    return str(path)


def leave(directory: Path, times: int = 1) -> None:
    for _ in range(times):
        for each in a_job():
            spool.append(f"{directory}/spool", stage.line(each))


def metrics(settings: str, *args: str) -> "subprocess.CompletedProcess[str]":
    return call("metrics", "--settings", settings, *args)


@contextmanager
def serving(settings: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Serve at a free port; give the process and its address."""
    process = subprocess.Popen(
        [*COMMAND, "--settings", settings, "--listen", "127.0.0.1:0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("Listening at http://127.0.0.1:"), process.communicate()
        yield process, said.removeprefix("Listening at ").strip()
    finally:
        process.kill()
        process.communicate()


def read(url: str) -> str:
    with OPENER.open(url, timeout=LONGEST_SECONDS) as answer:
        return str(answer.read().decode())


def jobs(text: str) -> float:
    return sum(
        each.value
        for family in families(text)
        for each in family.samples
        if each.name == "dind_executor_jobs_total"
    )


def test_a_scrape_has_what_has_just_happened(settings: str, tmp_path: Path) -> None:
    """Nobody waits for the next look."""
    with serving(settings) as (_, url):
        before = jobs(read(f"{url}metrics"))
        leave(tmp_path)
        after = jobs(read(f"{url}metrics"))
        assert read(f"{url}healthz") == "ok\n"

    assert (before, after) == (1, 2)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_numbers_survive(settings: str, tmp_path: Path, how: signal.Signals) -> None:
    """However it ends, the next process counts on, and each job once."""
    with serving(settings) as (process, url):
        leave(tmp_path, 2)
        read(f"{url}metrics")
        process.send_signal(how)
        assert process.wait(30) == (0 if how is signal.SIGTERM else -how)
    leave(tmp_path)

    with serving(settings) as (_, url):
        assert jobs(read(f"{url}metrics")) == 4


def test_there_is_one_at_a_time(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two would each leave their own numbers: the second one says so."""
    monkeypatch.chdir("/")
    with serving(settings):
        done = call(
            *("metrics", "--settings", settings, "--textfile", "/dev/null"),
            before="from executor.commands.metrics import command\ncommand._LOCK_SECONDS = 0.0",
        )

    assert done.returncode == 75
    assert done.stderr.startswith("dind-executor metrics: Another one counts in ")


def test_a_file_for_node_exporter(settings: str, tmp_path: Path) -> None:
    """It is whole, everybody may read it, and each call counts on."""
    path = tmp_path / "dind-executor.prom"
    found = []
    for _ in range(2):
        done = metrics(settings, "--textfile", str(path))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        found.append(jobs(path.read_text()))
        leave(tmp_path)

    assert found == [1, 2]
    assert path.stat().st_mode & 0o777 == 0o644
    assert not list(tmp_path.glob("*.writing"))


def test_a_spool_that_cannot_be_read(settings: str, tmp_path: Path) -> None:
    """A monitor sees it, and a file is not written."""
    (tmp_path / "spool" / "events.jsonl").unlink()
    (tmp_path / "spool" / "events.jsonl").symlink_to("/etc/passwd")
    with serving(settings) as (_, url):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            read(f"{url}healthz")
        assert "dind_executor_spool_lag_seconds" not in read(f"{url}metrics")
    done = metrics(settings, "--textfile", str(tmp_path / "x.prom"))

    assert (done.returncode, done.stderr) == (
        1,
        "dind-executor metrics: The spool cannot be read.\n",
    )
    assert not (tmp_path / "x.prom").exists()


def test_a_page_that_is_none(settings: str) -> None:
    """It is not found."""
    with serving(settings) as (_, url), pytest.raises(urllib.error.HTTPError, match="404"):
        read(f"{url}etc/passwd")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--listen", "here"], 2, "no address with a port"),
        (["--listen", "192.0.2.1:1"], 1, "192.0.2.1:1"),
        (["--textfile", "/none/x.prom"], 1, "/none/.x.prom.writing: No such file"),
    ],
)
def test_what_cannot_be_served_or_written(
    settings: str, args: list[str], code: int, words: str
) -> None:
    """The sentence names it."""
    done = metrics(settings, *args)

    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[log]\nrecords = false\n", "`[log] records = false`"),
        ('[sweep]\nstate_dir = "/none/at/all"\n', "/none/at/all: "),
        ("x = 1\n", "x"),
    ],
)
def test_settings_with_which_nothing_can_be_counted(tmp_path: Path, text: str, words: str) -> None:
    """It is the administrator's to correct them."""
    path = tmp_path / "settings.toml"
    path.write_text(text)

    done = metrics(str(path))

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_what_cannot_be_kept_is_said_once(settings: str, tmp_path: Path) -> None:
    """Serving goes on: a disk that is full must be seen somewhere."""
    (tmp_path / "metrics.json.new").mkdir()
    with serving(settings) as (process, url):
        assert jobs(read(f"{url}metrics")) == 1
        process.terminate()
        _, said = process.communicate(timeout=LONGEST_SECONDS)

    assert said.count("metrics.json cannot be written") == 1

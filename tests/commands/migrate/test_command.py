"""`dind-executor migrate`: from gitlab-runner's config.toml for the Docker executor to this one's."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from executor.cli import run_command
from executor.settings.file import read_settings
from tests import toml
from tests.migrating import printed, shown

# --- the command --------------------------------------------------------------------------------

SECRETS = ("glrt-secret-token", "hidden-key", "variable-secret")


NAMED = (("gpu", 11), ("gpu", 12), ("1", 13))
"""Names and ids of runners."""


def config(directory: Path, *runners: dict[str, object]) -> Path:
    """Write a config.toml."""
    path = directory / "config.toml"
    path.write_text(toml.dumps({"concurrent": 4, "runners": list(runners)}), encoding="utf-8")
    return path


def a_runner(name: str = "one", executor: str = "docker") -> dict[str, object]:
    """Return a runner with secrets."""
    return {
        "name": name,
        "url": "https://gitlab.example.com",
        "token": SECRETS[0],
        "executor": executor,
        "environment": [f"A={SECRETS[2]}"],
        "cache": {"s3": {"SecretKey": SECRETS[1]}},
        "docker": {"image": "ruby:3", "privileged": True},
    }


def documents(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the parts of what the command prints, each by its title."""
    parts = re.split(r"^# ===== (.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    return [
        (title, tomllib.loads(part)) for title, part in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_the_command_prints_settings_and_section(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both load; no secret is in either."""
    assert run_command(["migrate", str(config(tmp_path, a_runner()))]) == 0

    out, err = capfd.readouterr()
    (path, settings), (_, section) = documents(out)
    assert path == "/etc/dind-executor/settings.toml"
    assert settings == {"docker": {"image": "ruby:3"}}
    (runner,) = section["runners"]
    assert runner["executor"] == "custom"
    assert runner["custom"]["run_args"] == ["--settings", path]
    assert runner["safe_directory_checkout"] is True
    assert runner["custom_build_dir"] == {"enabled": True}
    assert "# Keep as they are in config.toml: token, environment, [runners.cache]." in out
    assert [secret for secret in SECRETS if secret in out + err] == []
    assert "one: [runners.docker] privileged: not carried over" in err


def test_several_runners_get_a_file_each(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each runner has settings of its own, and one alone can be named."""
    path = config(tmp_path, a_runner("one"), a_runner("The Second!"), a_runner("sh", "shell"))

    assert run_command(["migrate", str(path)]) == 0
    out, err = capfd.readouterr()
    titles = [title for title, _ in documents(out)]
    assert titles[::2] == [
        "/etc/dind-executor/settings-one.toml",
        "/etc/dind-executor/settings-the-second.toml",
    ]
    assert "the runner 'sh' is not changed: its executor is shell." in err

    assert run_command(["migrate", str(path), "--runner", "one"]) == 0
    assert len(documents(capfd.readouterr().out)) == 2


def test_no_two_runners_share_settings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Runners of one name get different files, and notes say by a number which is meant."""
    names = ("gpu", "gpu", "GPU", "gpu-2", "", "")
    path = config(tmp_path, *(a_runner(name) for name in names))

    assert run_command(["migrate", str(path)]) == 0

    out, err = capfd.readouterr()
    words = ("gpu", "gpu-2", "gpu-3", "gpu-2-2", "runner", "runner-2")
    paths = [f"/etc/dind-executor/settings-{word}.toml" for word in words]
    found = documents(out)
    assert [title for title, _ in found[::2]] == paths
    assert [each["runners"][0]["custom"]["run_args"][1] for _, each in found[1::2]] == paths
    titles = [each.partition(": ")[0] for each in err.splitlines()[:-2]]
    assert titles == ["gpu (runner 1)", "gpu (runner 2)", "GPU", "gpu-2", "runner 5", "runner 6"]


def test_a_runner_by_its_number(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A number tells runners of one name apart; a name that is a number goes before it."""
    path = config(tmp_path, *(a_runner(name) | {"id": id_} for name, id_ in NAMED))

    def migrated_ids(*args: str) -> list[int]:
        assert run_command(["migrate", str(path), *args]) == 0
        return [each["runners"][0]["id"] for _, each in documents(capfd.readouterr().out)[1::2]]

    assert migrated_ids("--runner", "2") == [12]
    assert migrated_ids("--runner", "gpu") == [11, 12]
    assert migrated_ids("--runner", "1") == [13]

    assert run_command(["migrate", str(path), "--runner", "gpu", "--output", "/nowhere"]) == 2
    assert "name one of gpu (runner 1), gpu (runner 2), or its number" in capfd.readouterr().err


def test_keys_are_read_in_any_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """gitlab-runner reads them so: a limit may have stood there as `Memory` for years."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[[runners]]\nName = "one"\nExecutor = "docker"\n[runners.Docker]\nMemory = "4g"\n'
        '[[runners.Docker.Services]]\nName = "redis:7"\n'
    )

    assert run_command(["migrate", str(path)]) == 0

    (_, settings), _ = documents(capfd.readouterr().out)
    assert settings == {"docker": {"memory": "4g", "services": [{"name": "redis:7"}]}}


def test_refused_settings_are_told_by_the_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command fails, and prints the settings all the same."""
    docker = {"cap_drop": ["NET_RAW", "SYS-ADMIN"]}
    path = config(tmp_path, a_runner() | {"docker": docker})

    assert run_command(["migrate", str(path)]) == 1
    assert documents(capfd.readouterr().out)[0][1] == {"docker": docker}


def test_that_caches_begin_empty_is_told_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One note speaks for all runners together."""
    path = config(tmp_path, a_runner("one"), a_runner("two"))

    assert run_command(["migrate", str(path)]) == 0

    assert capfd.readouterr().err.count("Caches and fetched sources start empty") == 1


def test_the_settings_are_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Their owner alone may read them, and another file is replaced only if asked for."""
    path, output = config(tmp_path, a_runner()), tmp_path / "settings.toml"
    args = ["migrate", str(path), "--output", str(output)]

    assert run_command(args) == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert read_settings(output.read_text(), str(output)).docker.images.image == "ruby:3"
    ((_, section),) = documents(capfd.readouterr().out)
    assert section["runners"][0]["custom"]["run_args"] == ["--settings", str(output)]

    output.write_text("mine")
    assert run_command(args) == 2
    assert "exists already. Add --force to overwrite it." in capfd.readouterr().err
    assert output.read_text() == "mine"
    assert run_command([*args, "--force"]) == 0
    assert output.read_text() != "mine"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "config.toml cannot be read: No such file or directory."),
        ("a = [", "config.toml is not TOML: "),
        (
            "concurrent = 1\n",
            ("config.toml has no [[runners]]. Give the path of gitlab-runner's config.toml."),
        ),
        (
            "runners = 1\n",
            ("config.toml has no [[runners]]. Give the path of gitlab-runner's config.toml."),
        ),
        (
            "runners = []\n",
            ("config.toml has no [[runners]]. Give the path of gitlab-runner's config.toml."),
        ),
        (
            '[[runners]]\nname = "a"\nexecutor = "docker"\ndocker = 3\n',
            "[runners.docker] of the runner 'a' in",
        ),
        ('[[runners]]\nexecutor = "shell"\n', 'no runner with executor = "docker" to migrate.'),
        (
            '[[runners]]\nexecutor = "docker+machine"\n',
            "scales machines, which a custom executor cannot do",
        ),
        (
            '[[runners]]\nexecutor = "docker-autoscaler"\n',
            "scales machines, which a custom executor cannot do",
        ),
    ],
)
def test_nothing_to_migrate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str | None, sentence: str
) -> None:
    """One clear sentence, and exit code 2."""
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_text(content)

    assert run_command(["migrate", str(path)]) == 2

    out, err = capfd.readouterr()
    assert out == ""
    assert sentence in err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--runner", "three"], "has no runner 'three': name one of one, two, or its number."),
        (["--runner", "0"], "has no runner '0': name one of one, two, or its number."),
        (["--output", "/nowhere"], "name one of one, two, or its number, with --runner."),
    ],
)
def test_which_runner_is_meant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], args: list[str], sentence: str
) -> None:
    """The sentence says what there is."""
    path = config(tmp_path, a_runner("one"), a_runner("two"))

    assert run_command(["migrate", str(path), *args]) == 2
    assert sentence in capfd.readouterr().err


def test_the_page_shows_what_the_command_prints() -> None:
    """The example of docs/migrating.md, to the letter: `python -m tests.migrating` writes it."""
    before, *after = shown()

    assert after == printed(before)


def test_a_runner_of_a_number_of_thousands_of_digits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sentence shows only a part of it."""
    path = config(tmp_path, a_runner())

    assert run_command(["migrate", str(path), "--runner", "9" * 5000]) == 2

    err = capfd.readouterr().err
    assert "has no runner '999" in err
    assert len(err) < 500


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("concurrent = " + "9" * 5000, "line 1: `concurrent` has a number that is too long"),
        ("[" + "a." * 5000 + "a]", "its key has more than 1000 parts"),
        ("[" + "a." * 500 + "a]", "nested more than 50 levels deep"),
        ("a = " + "[" * 5000, "nested more than 50 levels deep"),
    ],
    ids=["digits", "parts", "tables", "lists"],
)
def test_a_file_beyond_what_toml_has(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    """The sentence says what is wrong with it."""
    path = tmp_path / "config.toml"
    path.write_text(text)

    assert run_command(["migrate", str(path)]) == 2
    assert sentence in capfd.readouterr().err


def test_nothing_is_written_through_a_link(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever made the link would choose which file of root's is lost."""
    victim, output = tmp_path / "victim", tmp_path / "settings.toml"
    victim.write_text("precious")
    output.symlink_to(victim)
    path = str(config(tmp_path, a_runner()))

    for force in ([], ["--force"]):
        assert run_command(["migrate", path, "--output", str(output), *force]) == 2

    assert f"{output} is not a regular file" in capfd.readouterr().err
    assert victim.read_text() == "precious"
    assert output.is_symlink()


def test_an_old_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Whoever has it open reads on in the old one, and nobody else may read the new one."""
    output = tmp_path / "settings.toml"
    output.write_text("old")
    output.chmod(0o644)
    path = str(config(tmp_path, a_runner()))

    with output.open() as before:
        assert run_command(["migrate", path, "--output", str(output), "--force"]) == 0
        assert before.read() == "old"

    read_settings(output.read_text(), "x")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.toml", "settings.toml"]

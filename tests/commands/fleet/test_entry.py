"""A runner of this host in config.toml."""

from pathlib import Path

import pytest

from executor.commands.fleet import entry
from executor.commands.fleet.entry import Entry, held, left_token, put, read_entry
from executor.commands.fleet.host import HostFailed
from executor.commands.register.config_file import ConfigFile
from executor.commands.register.section import UNKNOWN_TOKEN

URL = "https://gitlab.example.com"
OLD, NEW = "glrt-abcdefghijklmnopqrst", "glrt-0123456789abcdefghij"
ONE = f'[[runners]]\n  name = "one"\n  url = "{URL}/"\n  token = "{OLD}"\n'
TWO = ONE.replace("one", "two").replace(OLD, "glrt-anotheranotheranothe")
MINE = Entry("one", URL, OLD, "s_1")


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> ConfigFile:
    (tmp_path / "config.toml").write_text(ONE)
    (tmp_path / ".runner_system_id").write_text("s_1")
    return ConfigFile(tmp_path / "config.toml")


def test_the_only_one_is_meant(file: ConfigFile) -> None:
    """Among several, a name or a GitLab tells; no output has the token."""
    assert read_entry(file, "", "") == MINE
    file.path.write_text(ONE + TWO)
    assert read_entry(file, "one", URL) == MINE
    with pytest.raises(
        HostFailed, match="several such runners, 'one', 'two': choose one with --name"
    ):
        read_entry(file, "", "")
    with pytest.raises(HostFailed, match="has 'one', 'two', and not the one that --name names"):
        read_entry(file, "three", "")
    assert OLD not in repr(MINE)


def test_another_gitlab(file: ConfigFile) -> None:
    """The refusal has both addresses, and what named the one that is not there; no login in one."""
    file.path.write_text(ONE.replace("https://", "https://me:secret@"))

    with pytest.raises(HostFailed) as refused:
        read_entry(file, "", "https://other.example.com")

    assert "has 'one' of https://[MASKED]@gitlab.example.com, and no such" in str(refused.value)
    assert "https://other.example.com, which --url or CI_SERVER_URL names" in str(refused.value)


def test_a_file_without_runners(file: ConfigFile) -> None:
    """The refusal says that, and which option names another file."""
    file.path.write_text("concurrent = 1\n")

    with pytest.raises(HostFailed, match="has no runner"):
        read_entry(file, "", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ONE.replace(OLD, "$TOKEN"), "no token of its own"),
        (ONE.replace(OLD, ""), "no token of its own"),
        (ONE.replace("https://", "https://me:secret@"), "no address"),
    ],
)
def test_what_cannot_be_rotated(file: ConfigFile, text: str, words: str) -> None:
    """A sentence says why."""
    file.path.write_text(text)

    with pytest.raises(HostFailed, match=words):
        read_entry(file, "", "")


def test_a_host_that_has_never_called(file: ConfigFile) -> None:
    """GitLab would take it for one without features if this command called first."""
    file.path.with_name(".runner_system_id").unlink()

    with pytest.raises(HostFailed, match="has not run"):
        read_entry(file, "", "")


def test_a_link_to_another_directory(file: ConfigFile, tmp_path: Path) -> None:
    """gitlab-runner keeps the name of the host beside the link, and the file itself is replaced."""
    link = tmp_path / "etc" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(file.path)
    link.with_name(".runner_system_id").write_text("s_2")
    linked = ConfigFile(link)

    assert read_entry(linked, "", "").system_id == "s_2"
    put(linked, MINE, NEW, None, "rotate")
    assert link.is_symlink()
    assert NEW in file.path.read_text()


def test_what_is_wrong_with_the_file_is_a_sentence(file: ConfigFile) -> None:
    """No TOML, no file, somebody else at work, no right to write."""
    with held(file), pytest.raises(HostFailed, match="Another command"), held(file):
        pass
    with pytest.raises(HostFailed, match="stays as it is: it has not"), held(file):
        put(file, MINE._replace(token=NEW), OLD, None, "rotate")
    file.path.write_text("[[runners]")
    with pytest.raises(HostFailed, match="no TOML"), held(file):
        read_entry(file, "", "")
    file.path.unlink()
    with pytest.raises(HostFailed, match="There is no"), held(file):
        pass


def test_put(file: ConfigFile) -> None:
    """The file has the new token, and what was there lies beside it; only its owner reads both."""
    file.path.chmod(0o600)

    put(file, MINE, NEW, None, "rotate")

    assert file.path.read_text() == ONE.replace(OLD, NEW)
    (backup,) = file.path.parent.glob("config.toml.before-rotate-*")
    assert backup.read_text() == ONE
    assert {each.stat().st_mode & 0o777 for each in (file.path, backup)} == {0o600}


def test_a_change_that_comes_in_between_stays(
    file: ConfigFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is read again, and gets the token with the change in it."""
    read = ConfigFile.read
    times: list[int] = []

    def reading(self: ConfigFile) -> str:
        text = read(self)
        if not times:
            self.path.write_text(f"concurrent = 2\n{text}")
        times.append(1)
        return text

    monkeypatch.setattr(ConfigFile, "read", reading)
    put(file, MINE, NEW, None, "rotate")

    assert file.path.read_text() == f"concurrent = 2\n{ONE.replace(OLD, NEW)}"


def test_what_a_killed_call_has_left(file: ConfigFile) -> None:
    """Its token, of the same runner; what stood for one before it was known is none."""
    assert left_token(file, MINE) == ""
    file.try_out(ONE.replace(OLD, NEW))
    assert left_token(file, MINE) == NEW
    assert left_token(file, MINE._replace(name="two")) == ""
    for each in (ONE, ONE.replace(OLD, UNKNOWN_TOKEN), "[[runners]"):
        file.try_out(each)
        assert left_token(file, MINE) == ""


def test_a_trial_leaves_nothing(file: ConfigFile) -> None:
    """It only shows that the file can be changed."""
    entry.try_out(file, MINE)

    assert not file.tried.exists()
    assert file.path.read_text() == ONE

"""The unit of gitlab-runner, as its files have it."""

from pathlib import Path

from executor.commands.doctor.files import Files
from executor.commands.doctor.service import read_service
from tests.commands.doctor.hosts import UNIT, plant, plant_host


def test_drop_ins_count_in_the_order_of_their_names(tmp_path: Path) -> None:
    """A later name wins, wherever it lies, and /etc hides a file of the same name elsewhere."""
    plant(
        plant_host(tmp_path),
        {
            "/usr/lib/systemd/system/gitlab-runner.service.d/90.conf": "[Service]\nKillMode=process\n",
            f"{UNIT}.d/95.conf": "[Unit]\nKillMode=none\n[Service]\n# KillMode=none\nUser=me\n",
            "/run/systemd/system/gitlab-runner.service.d/10-dind-executor.conf": "[Service]\nUser=x\n",
        },
    )

    service = read_service(Files(str(tmp_path)))

    assert service.properties["KillMode"] == "process"
    assert service.properties["KillSignal"] == "SIGQUIT"
    assert service.properties["User"] == "me"


def test_the_arguments_of_a_unit_are_its_words(tmp_path: Path) -> None:
    """Quotes, as `gitlab-runner install` writes them, are no part of them."""
    plant_host(tmp_path)
    plant(
        tmp_path,
        {UNIT: '[Service]\nExecStart=/usr/bin/gitlab-runner "run" "--config" "/etc/a.toml"\n'},
    )

    assert read_service(Files(str(tmp_path))).arguments()[1:] == ("run", "--config", "/etc/a.toml")


def test_no_unit_is_not_found(tmp_path: Path) -> None:
    """Drop-ins without a unit are none."""
    plant(tmp_path, {f"{UNIT}.d/10.conf": "[Service]\nUser=me\n"})

    assert not read_service(Files(str(tmp_path))).found

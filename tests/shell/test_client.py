"""What a keeper does for the Docker client of its scripts, under three shells."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from executor.shell import DIRECTORY, program
from executor.shell.client import Client
from tests.keeping import Kept, Start, mount_of

OURS = b'{"auths": {"registry.example": {"auth": "eDp5"}}}'
FILES = {f"{DIRECTORY}/docker/config.json": OURS}
HELD = json.loads(OURS)


def mounting(programs: Path, path: Path) -> tuple[str, ...]:
    """Return an entrypoint that mounts a path over itself: somebody else's from then on."""
    mount = f'{shutil.which("mount")} --bind "$0" "$0" && exec "$@"'
    return (str(programs / "sh"), "-c", mount, str(path))


def home(directory: Path) -> Path:
    """Return the directory that the image has for Docker's client, with a configuration in it."""
    found = directory / "home/.docker"
    (found / "contexts").mkdir(parents=True)
    (found / "config.json").write_text('{\n "credHelpers": {"r.example": "ecr"}\n}\n')
    (found / "contexts/meta.json").write_text("a context")
    return found


def config_variable(kept: Kept) -> str:
    """Return the DOCKER_CONFIG of a script."""
    return kept.run('printf %s "$DOCKER_CONFIG"').stdout.decode()


def test_nothing_is_done_for_a_client_that_needs_nothing(start: Start) -> None:
    """A helper container has no Docker client."""
    kept = start(client=Client())

    assert config_variable(kept) == ""
    assert list(kept.home.iterdir()) == []


def test_logins_are_where_the_client_looks(start: Start) -> None:
    """The client's own directory is a link, which a script may remove and make anew."""
    kept = start(files=FILES)

    assert json.loads((kept.home / ".docker/config.json").read_text()) == HELD
    assert config_variable(kept) == ""
    assert kept.run("rm -rf ~/.docker; mkdir -p ~/.docker", "second").code == 0
    assert not (kept.home / ".docker").is_symlink()
    assert (kept.directory / "docker/config.json").exists()


def test_what_an_image_has_there_is_taken_along(start: Start, tmp_path: Path) -> None:
    """Its configuration joins ours, and all else is beside it; the link leads to both."""
    directory = home(tmp_path)

    kept = start(files=FILES)

    assert directory.is_symlink()
    assert (directory / "contexts/meta.json").read_text() == "a context"
    assert json.loads((directory / "config.json").read_text()) == {
        **HELD,
        "credHelpers": {"r.example": "ecr"},
    }
    assert config_variable(kept) == ""


def test_what_is_large_stays_where_it_is(start: Start, tmp_path: Path) -> None:
    """Memory has no room for plugins: there the variable leads to the logins, and to the plugins."""
    directory = home(tmp_path)
    (directory / "cli-plugins").mkdir()
    (directory / "cli-plugins/docker-large").write_bytes(os.urandom(1100 * 1024))

    kept = start(files=FILES)

    held = kept.directory / "docker"
    assert config_variable(kept) == str(held)
    assert (held / "cli-plugins/docker-large").resolve() == directory / "cli-plugins/docker-large"
    assert json.loads((held / "config.json").read_text())["credHelpers"] == {"r.example": "ecr"}
    assert (directory / "config.json").read_text().startswith("{\n")


@pytest.mark.parametrize("program", ["cp", "rm"])
def test_what_cannot_be_taken_along_costs_no_login(
    start: Start, tmp_path: Path, programs: Path, program: str
) -> None:
    """What its user may not read or remove keeps the directory; the two configurations are one."""
    directory = home(tmp_path)
    (programs / program).unlink(missing_ok=True)
    real = f'{shutil.which(program)} "$@"'
    unless = '[ "$1" = -rf ] ||' if program == "rm" else ""
    (programs / program).write_text(f"#!/bin/sh\n{unless} {real}\nexit 1\n")
    (programs / program).chmod(0o755)

    kept = start(files=FILES)

    held = kept.directory / "docker"
    assert config_variable(kept) == str(held)
    assert json.loads((held / "config.json").read_text()) == {
        **HELD,
        "credHelpers": {"r.example": "ecr"},
    }
    assert (directory / "contexts/meta.json").read_text() == "a context"


def test_an_images_link_is_followed_and_left_alone(start: Start, tmp_path: Path) -> None:
    """What ~/.docker leads to is the image's: it is taken along, and stays."""
    directory = home(tmp_path).rename(tmp_path / "elsewhere")
    (tmp_path / "home/.docker").symlink_to(directory)

    kept = start(files=FILES)

    assert (kept.home / ".docker").resolve() == kept.directory / "docker"
    assert json.loads((kept.home / ".docker/config.json").read_text())["credHelpers"]
    assert (directory / "config.json").read_text().startswith("{\n")


@pytest.mark.parametrize("there", [True, False])
def test_an_images_own_place_for_logins_is_heeded(
    start: Start, tmp_path: Path, *, there: bool
) -> None:
    """DOCKER_CONFIG of an image stands, and the logins are found there, and at home too."""
    place = tmp_path / "tool/.docker"
    if there:
        place.mkdir(parents=True)
        (place / "config.json").write_text('{"auths": {"own.example": {"auth": "eDp5"}}}')
    client = Client(images_config=True, own=(mount_of(tmp_path),))

    kept = start(files=FILES, client=client, environment={"DOCKER_CONFIG": f"{place}/"})

    assert config_variable(kept) == f"{place}/"
    assert place.resolve() == kept.directory / "docker"
    assert (kept.home / ".docker").resolve() == kept.directory / "docker"
    assert (b"own.example" in (place / "config.json").read_bytes()) is there


def test_a_jobs_own_place_for_logins_is_left_alone(start: Start, tmp_path: Path) -> None:
    """DOCKER_CONFIG of a job is where it wants its own logins, and none of ours."""
    kept = start(files=FILES, environment={"DOCKER_CONFIG": f"{tmp_path}/mine"})

    assert not (tmp_path / "mine").exists()
    assert (kept.home / ".docker").is_symlink()


def test_a_jobs_own_place_stands_where_no_link_can(start: Start, tmp_path: Path) -> None:
    """A home that cannot hold the link is no reason to take another place than the job's."""
    place = f"{tmp_path}/mine"

    kept = start(files=FILES, environment={"DOCKER_CONFIG": place, "HOME": "/proc/self"})

    assert config_variable(kept) == place


@pytest.mark.parametrize("mounted", ["home", "home/.docker", "home/.docker/config.json"])
def test_somebody_elses_file_is_their_word(
    start: Start, tmp_path: Path, programs: Path, mounted: str
) -> None:
    """Where something is mounted, nothing is written, and a configuration there stands alone."""
    directory = home(tmp_path)
    before = (directory / "config.json").stat()

    kept = start(files=FILES, entrypoint=mounting(programs, tmp_path / mounted))

    assert (directory / "config.json").stat() == before
    assert not directory.is_symlink()
    assert config_variable(kept) == ""


def test_a_list_of_mounts_that_changes_is_read_again(tmp_path: Path, programs: Path) -> None:
    """A line may be missing while something is unmounted; what it says is not missed for that."""
    root = "1 0 0:1 / / rw - x x rw\n"
    whole = f"{root}2 1 0:1 / {tmp_path} rw - x x rw\n"
    for number, text in enumerate((root, whole, whole), 1):
        (tmp_path / f"list{number}").write_text(text)
    given = "_own= _joined=\nlist() { echo >>reads; echo list$(($(wc -l <reads))); }\n"
    text = program("own_places").replace("/proc/self/mountinfo", '"$(list)"')
    asks = 'if own "$PWD"; then echo yes; else echo no; fi\n'

    done = subprocess.run(
        [str(programs / "sh"), "-c", given + text + asks * 2],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("no\nno\n", "")
    assert (tmp_path / "reads").read_text() == "\n" * 3


@pytest.mark.parametrize("mounted", ["home", "home/.docker"])
def test_a_mounted_home_without_logins_stays_as_it_is(
    start: Start, tmp_path: Path, programs: Path, mounted: str
) -> None:
    """There the variable leads to the logins."""
    (tmp_path / mounted).mkdir(parents=True)

    kept = start(files=FILES, entrypoint=mounting(programs, tmp_path / mounted))

    assert list((tmp_path / mounted).iterdir()) == []
    assert config_variable(kept) == str(kept.directory / "docker")


def test_a_home_that_is_nowhere_is_made(start: Start, tmp_path: Path) -> None:
    """As Docker's client would."""
    kept = start(files=FILES, environment={"HOME": f"{tmp_path}/no/home"})

    assert (tmp_path / "no/home/.docker").resolve() == kept.directory / "docker"


OTHERWISE = ("DOCKER_HOST=tcp://docker:2376", "DOCKER_CERT_PATH=/a b")


def asking(kept: Kept, nonce: str = "one") -> list[str]:
    """Return what a script sees of the variables."""
    script = 'echo "${DOCKER_HOST-unset}"; echo "${DOCKER_CERT_PATH-unset}"'
    return kept.run(script, nonce).stdout.decode().splitlines()


@pytest.mark.parametrize(
    ("before", "after"),
    [("unix://{}", "unix://{}"), ("tcp://other:1", "tcp://other:1"), ("", "unix://{}")],
)
def test_without_a_link_scripts_are_told_of_the_socket(
    start: Start, tmp_path: Path, programs: Path, before: str, after: str
) -> None:
    """A place that is mounted gets no link; what an entrypoint says stands."""
    (tmp_path / "var/run").mkdir(parents=True)
    place = str(tmp_path / "s.sock")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(place)
        kept = start(
            client=Client(socket=place, otherwise=OTHERWISE),
            environment={"DOCKER_HOST": before.format(place)},
            entrypoint=mounting(programs, tmp_path / "var"),
        )

        assert asking(kept) == [after.format(place), "unset"]
        assert (tmp_path / "s.sock").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("directory", [True, False])
def test_the_client_finds_the_socket_by_itself(
    start: Start, tmp_path: Path, *, directory: bool
) -> None:
    """A link leads to it, and DOCKER_HOST, which was there for the entrypoint, is gone."""
    if directory:
        (tmp_path / "var/run").mkdir(parents=True)
    place = str(tmp_path / "s.sock")
    client = Client(socket=place, otherwise=OTHERWISE, own=(mount_of(tmp_path),))
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(place)
        kept = start(client=client, environment={"DOCKER_HOST": f"unix://{place}"})

        assert asking(kept) == ["unset", "unset"]
        assert str(kept.link.readlink()) == place
        assert (tmp_path / "s.sock").stat().st_mode & 0o777 == 0o666


def test_what_is_at_the_clients_place_stays(start: Start, tmp_path: Path) -> None:
    """The file is an image's, or an administrator's: then scripts are told of the socket."""
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / "var/run/docker.sock").write_text("mine")
    place = str(tmp_path / "s.sock")
    client = Client(socket=place, own=(mount_of(tmp_path),))

    kept = start(client=client, environment={"DOCKER_HOST": f"unix://{place}"})

    assert asking(kept) == [f"unix://{place}", "unset"]
    assert kept.link.read_text() == "mine"


def test_without_a_socket_scripts_get_the_other_way(start: Start, tmp_path: Path) -> None:
    """The daemon answers, and was told of no socket; that is seen before the first script."""
    place = str(tmp_path / "s.sock")
    client = Client(socket=place, otherwise=OTHERWISE, own=(mount_of(tmp_path),))

    kept = start(client=client, environment={"DOCKER_HOST": f"unix://{place}"})

    for nonce in ("one", "two"):
        assert asking(kept, nonce) == ["tcp://docker:2376", "/a b"]
    assert not kept.link.is_symlink()


def test_a_job_with_a_context_has_no_host(start: Start, tmp_path: Path) -> None:
    """DOCKER_HOST would beat it; it was there for the entrypoint alone."""
    place = f"{tmp_path}/s.sock"
    client = Client(socket=place, forgets_host=True)

    kept = start(client=client, environment={"DOCKER_HOST": f"unix://{place}"})

    assert asking(kept) == ["unset", "unset"]

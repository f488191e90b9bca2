"""What an administrator mounts where dind-executor writes: it is the same before and after a job."""

import hashlib
from pathlib import Path

import pytest

from tests.rig.state import Rig
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Login, Variable, auths
from tests.stages.test_reach import BARE, LOCAL, NEW, OFFICIAL, OLD, SERVER, USER, lines

HOMES = ("/root", "/root/.docker", "/root/.docker/config.json", "/home/ci", "/tool")
PLACES = (
    ("/root", "root", ""),
    ("/root/.docker", "root", ":ro"),
    ("/root/.docker/config.json", "root", ""),
    ("/home/ci", "ci", ""),
    ("/tool", "root", ""),
    ("/var/run", "root", ""),
    ("/var/run", "ci", ""),
    ("/run", "ci", ":ro"),
    ("/certs", "ci", ""),
    ("/etc/docker", "root", ""),
    ("/var", "ci", ""),
)
"""What is mounted where, for which user of an image, and how."""


def seen(directory: Path) -> dict[str, object]:
    """Return all that can be told of what is in a directory, and of itself."""
    found: dict[str, object] = {}
    for path in (directory, *sorted(directory.rglob("*"))):
        stat = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        link = str(path.readlink()) if path.is_symlink() else ""
        found[str(path)] = (
            (stat.st_ino, stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink),
            (stat.st_mtime_ns, stat.st_ctime_ns),
            (content, link),
        )
    return found


def prepared(directory: Path, place: str, config: str) -> Path:
    """Return something to mount at a place, with a docker configuration where one belongs."""
    if place.endswith(".json"):
        (directory / "config.json").write_text(config)
        return directory / "config.json"
    source = directory / "mounted"
    (source / "run").mkdir(parents=True)
    (source / "mine").write_text("mine")
    if place in HOMES:
        docker = source if place.endswith(".docker") else source / ".docker"
        docker.mkdir(exist_ok=True)
        (docker / "config.json").write_text(config)
    return source


@pytest.mark.family(3)
@pytest.mark.parametrize("how", PLACES, ids=" ".join)
def test_what_is_mounted_stays_as_it_was(
    rig: Rig,
    start: Start,
    images: Images,
    login: Login,
    tmp_path: Path,
    how: tuple[str, str, str],
) -> None:
    """Bytes, owners, modes and times; and the job has its daemon and the logins that are its."""
    place, user, mode = how
    directory = tmp_path / "host"
    directory.mkdir()
    source = prepared(directory, place, auths(login))
    image = images.changed(rig.special(BARE), USER, f"USER {user}", "ENV DOCKER_CONFIG=")
    entrypoint = {"entrypoint": ["sh", "-c", 'exec "$@"', "sh"]}
    variables = [Variable("SECRET", "a-secret-of-the-job", masked=True)]
    if place == "/tool":
        variables.append(Variable("HOME", "/tool"))
    before = seen(directory)
    request = JobRequest(
        str(image.id), variables=variables, logins=[login], image_options=entrypoint
    )
    volumes = [f"{source}:{place}{mode}"]
    job = start(request, {"docker": {**LOCAL["docker"], "volumes": volumes}})
    job.up()

    said = lines(job, SERVER, f"docker pull -q {rig.registry_image}/docker:20.10.16")
    job.script("true", sub_stage="download_artifacts").passed()
    job.script("true", sub_stage="after_script").passed()
    job.cleanup().passed()

    assert said[0] == "26.1.5+dfsg1"
    assert seen(directory) == before


@pytest.mark.family(2)
@pytest.mark.parametrize("dind", [NEW, OLD])
def test_a_read_only_place_is_in_dind_too_and_read_only(
    start: Start, tmp_path: Path, dind: str
) -> None:
    """A job finds it at its path in `docker run -v`; no container without privileges writes there."""
    place = tmp_path / "tools"
    place.mkdir(mode=0o777)
    (place / "tool").write_text("a tool\n")
    place.chmod(0o777)
    settings = {"docker": {"volumes": [f"{place}:/opt/tools:ro"]}}
    job = start(JobRequest(OFFICIAL, services=[{"name": dind}]), settings)
    job.up()

    said = lines(
        job,
        "touch /opt/tools/x 2>/dev/null || echo no",
        "docker run --rm -v /opt/tools:/t alpine sh -c 'cat /t/tool; touch /t/x 2>&1 || echo no;"
        " mount -o remount,rw,bind /t 2>/dev/null || echo no'",
    )

    assert [*said[:2], *said[-2:]] == ["no", "a tool", "no", "no"]
    assert [each.name for each in place.iterdir()] == ["tool"]

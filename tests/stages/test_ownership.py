"""Whose the project's files are, and what FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR changes."""

import pytest

from tests.rig.state import Rig
from tests.stages import scripts
from tests.stages.calls import JobCalls
from tests.stages.conftest import Changes, Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Variable, new_job_id

NO_DIND: Changes = {"dind": {"mode": "service"}}
FLAG = "FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR"
LISTING = "stat -c '%a %u %g %n' context source.txt executable"


def fetched(job: JobCalls) -> tuple[str, str]:
    """Make the environment and sources of all kinds; return what prepare and the listing say."""
    said = job.up().output
    touch = "umask; : >executable; chmod +x executable"
    job.run("get_sources", scripts.authors(job.values, frozenset(), [touch])).passed()
    return said, job.script(LISTING).passed().output


@pytest.mark.family(2)
@pytest.mark.parametrize("flag", ["", "false", "true"])
@pytest.mark.parametrize("user", ["", "1000:1000"], ids=["root", "non-root"])
def test_whose_the_sources_are(start: Start, flag: str, user: str) -> None:
    """Everybody may write to the sources; with the flag they belong to the scripts' user."""
    variables = [Variable(FLAG, flag)] if flag else []
    options = {"executor_opts": {"docker": {"user": user, "platform": ""}}}
    job = start(JobRequest(variables=variables, image_options=options), NO_DIND)
    said, listed = fetched(job)
    owner = "1000 1000" if flag == "true" and user else "0 0"
    modes = ("755", "644", "755") if flag == "true" else ("777", "666", "777")
    names = ("context", "source.txt", "executable")
    assert [line for line in listed.splitlines() if line[:1] in "67"] == [
        f"{mode} {owner} {name}" for mode, name in zip(modes, names, strict=True)
    ]
    assert (f"Not using umask - {FLAG} is set!\n" in said) is (flag == "true")
    change = 'Changing ownership of files at "/builds/group/project{}" to 1000:1000\n'
    for suffix in ("", ".tmp"):
        assert (change.format(suffix) in listed) is (flag == "true" and bool(user))


def test_no_image_can_lie_about_its_user(start: Start, images: Images, rig: Rig) -> None:
    """Neither an endless `id` nor an entrypoint that chatters keeps it from being found out.

    The user is who the scripts run as, and it is asked for once.
    """
    lie = "printf '#!/bin/sh\\nwhile :; do echo 99999999999999; done\\n' >/bin/id"
    image = images.changed("alpine", f"rm -f /bin/id; {lie}; chmod +x /bin/id", "USER 1234")
    name = f"{rig.hub}/volumes/liar:{new_job_id()}"
    images.publish(image, name)
    options = {"entrypoint": ["sh", "-c", 'echo noise >&2; exec "$@"', "sh"]}
    request = JobRequest(name, variables=[Variable(FLAG, "true")], image_options=options)
    job = start(request, NO_DIND)
    _, listed = fetched(job)
    assert 'files at "/builds/group/project" to 1234:0\n' in listed
    assert "644 1234 0 source.txt\n" in listed
    assert "Changing ownership" not in job.script("touch mine").passed().output

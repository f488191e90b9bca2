"""Where a job's Docker client finds its logins, whatever an image or a script has there."""

import json

from tests.rig.state import Rig
from tests.stages.conftest import Start
from tests.stages.registry import Images
from tests.stages.request import JobRequest, Login, auths
from tests.stages.test_reach import BARE, LOCAL, USER, lines

PULL = "docker pull -q {}"


def test_logins_are_found_in_an_images_own_place(
    rig: Rig, start: Start, images: Images, login: Login
) -> None:
    """An image's DOCKER_CONFIG stands, and a login that a script writes there counts, too.

    What the image has in its `~/.docker` joins, and a script may remove that and begin anew.
    """
    own = auths(Login("own.example", "me", "mine"))
    place = f"mkdir -p /tool /root/.docker\necho '{own}' >/root/.docker/config.json"
    tool = images.changed(rig.special(BARE), place, "ENV DOCKER_CONFIG=/tool/.docker")
    home = images.changed(rig.special(BARE), place)
    pull = PULL.format(f"{rig.registry_image}/docker:20.10.16")
    written = auths(login)
    jobs = [start(JobRequest(str(each.id), logins=[login]), LOCAL) for each in (tool, home)]
    for each in jobs:
        each.up()

    lines(
        jobs[0],
        'test "$DOCKER_CONFIG" = /tool/.docker',
        pull,
        "rm /tool/.docker/config.json",
        f"! {pull} 2>/dev/null",
        f"printf %s {json.dumps(written)} >/tool/.docker/config.json".replace('\\"', '\\"'),
        pull,
    )
    said = lines(
        jobs[1],
        'echo "${DOCKER_CONFIG-unset}"',
        "ls ~/.docker/",
        "grep -c own.example ~/.docker/config.json",
        pull,
        "rm -rf ~/.docker; mkdir -p ~/.docker",
        f"! {pull} 2>/dev/null",
        f"printf %s {json.dumps(written)} >~/.docker/config.json",
        pull,
    )
    assert said[:3] == ["unset", "config.json", "1"]


def test_a_user_logs_in_and_pulls(rig: Rig, start: Start, images: Images, login: Login) -> None:
    """`docker login` writes where the job's logins are, for any user of an image."""
    image = images.changed(rig.special(BARE), USER, "USER ci", "ENV HOME=/home/ci")
    job = start(JobRequest(str(image.id)), LOCAL)
    job.up()
    pull = PULL.format(f"{rig.registry_image}/docker:20.10.16")

    lines(
        job,
        f"! {pull} 2>/dev/null",
        f"echo {login.password} | docker login -u {login.username} --password-stdin {rig.gitlab}",
        pull,
        "stat -f -c %T ~/.docker/ | grep -qx tmpfs",
        "docker logout " + rig.gitlab,
        f"! {pull} 2>/dev/null",
    )

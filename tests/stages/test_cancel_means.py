"""A cancel by means that are the job's own: they get no other user, and no end of time."""

import signal

from tests.rig.state import Rig
from tests.stages.calls import SYSTEM_FAILURE
from tests.stages.conftest import Changes, Start
from tests.stages.request import JobRequest, Variable
from tests.stages.witness import Witness, eventually

USER = "1000"
CHANGES: Changes = {
    "docker": {"user": USER, "allowed_users": [USER]},
    "dind": {"mode": "service"},
}
FORGED = r"#!/bin/sh\nid -u >/builds/proof\nexec /bin/sh \"$@\"\n"


def test_a_cancel_gives_the_jobs_programs_no_other_user(start: Start) -> None:
    """What ends the script is a shell on the author's PATH, and may be the author's own."""
    path = Variable("PATH", "/builds/bin:/usr/local/bin:/usr/bin:/bin")
    job = start(JobRequest("debian:bookworm", variables=[path]), CHANGES)
    job.up()
    commands = (
        "mkdir -p /builds/bin",
        f'printf "{FORGED}" >/builds/bin/sh',
        "chmod +x /builds/bin/sh",
        "echo ready",
        "sleep 4481",
    )
    running = job.start_run("build_script", job.authors(*commands))
    running.wait_for("ready\n")

    running.signal(signal.SIGTERM)

    assert running.finish().code == SYSTEM_FAILURE
    proof = job.script("cat /builds/proof", sub_stage="prepare_script").passed()
    assert proof.stdout.splitlines()[-1] == USER


def test_what_became_another_user_ends_with_the_container(start: Start, witness: Witness) -> None:
    """The call does not wait for processes that `sudo` put beyond the script's signals."""
    job = start(JobRequest("debian:bookworm"), CHANGES)
    job.up()
    build = witness.container(job.id, "build")
    code, _ = build.exec_run(["chmod", "u+s", "/usr/sbin/chroot"], user="0")
    assert code == 0
    deaf = "trap '' TERM; echo deaf; sleep 4482; sleep 4482"
    running = job.start_run(
        "build_script", job.authors(f'/usr/sbin/chroot --userspec=0:0 / sh -c "{deaf}"')
    )
    running.wait_for("deaf\n")
    eventually(
        lambda: (
            ["0", "sleep 4482"]
            in [row[1:] for row in build.top(ps_args="-eo pid,uid,args")["Processes"]]
        ),
        "it runs as root",
    )

    running.signal(signal.SIGTERM)

    assert running.finish().code == SYSTEM_FAILURE
    assert witness.containers(job.id, "build") == []


def test_a_sidecar_that_prints_for_ever(rig: Rig, start: Start) -> None:
    """Its files are the job's to change, through its daemon; the call reads a part and ends."""
    job = start(JobRequest(rig.special("tools/docker-cli:1")))
    job.up()
    replace = (
        "cp /bin/busybox /x/yes; rm /x/sh; printf '#!/bin/yes\\n' >/x/sh; chmod 755 /x/sh /x/yes"
    )
    running = job.start_run(
        "build_script",
        job.authors(
            f'docker run --rm -v /bin:/x alpine sh -c "{replace}"', "echo it", "sleep 4483"
        ),
    )
    running.wait_for("it\n")

    running.signal(signal.SIGTERM)

    call = running.finish()
    assert call.code == SYSTEM_FAILURE
    assert "of the job's Docker daemon" in call.stdout

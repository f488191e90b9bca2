"""The image of `deploy/container` with a package in it: built, asked for faults, and a job's build.

`python -m tests.load.container_image DIST` takes the deb of a directory that `.ci/package` has filled.
On an engine of its own, it does what docs/container.md says. The image is made of a root of Debian 11,
whose own Python is too old and is not even installed. Beside the package lies one of another version.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from executor import __version__
from executor.local.pipeline.file import parse_pipeline
from tests import pipelines
from tests.gitlab import box, server, sources, trace
from tests.gitlab.box import Box
from tests.gitlab.pipelines import Pushed, project_variables
from tests.load.first_job import call
from tests.rig import debian, state
from tests.rig.catalogue import RUNNER
from tests.rig.paths import CACHE, PROJECT_FILES
from tests.rig.state import Rig
from tests.stages.witness import eventually

_SUITE = "bullseye"
_ROOT = "dind-executor-root"
_BASE = f"""\
FROM {{}} AS runner
FROM {_ROOT}
COPY --from=runner /usr/bin/gitlab-runner /usr/bin/gitlab-runner
COPY --from=runner /entrypoint /entrypoint
RUN mkdir /home/gitlab-runner
VOLUME ["/etc/gitlab-runner", "/home/gitlab-runner"]
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/usr/bin/dumb-init", "/entrypoint"]
CMD ["run", "--working-directory=/home/gitlab-runner"]
"""
_JOB = """
builds:
  image: docker:26.1-cli
  script:
    - printf 'FROM busybox\\nRUN echo built >/made\\n' >Dockerfile.own
    - docker build -q -t own -f Dockerfile.own .
    - docker run --rm own cat /made
"""
_OTHER = "dind-executor_0.0.1_amd64.deb"
_LOOK = (
    "docker run --rm --entrypoint sh dind-executor -ec"
    " 'dind-executor --version; readlink -f /opt/dind-executor/current/bin/python;"
    " command -v python3 || echo no other Python'"
)
_SECONDS = 900


def make_base(made: Box, rig: Rig) -> None:
    """Make an image of gitlab-runner out of Debian 11, without any Python."""
    tar = CACHE / "roots" / f"{_SUITE}-runner.tar"
    if not tar.exists():
        tar.parent.mkdir(parents=True, exist_ok=True)
        fresh = tar.with_suffix(".new.tar")
        keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        line = f"deb [signed-by={keyring}] {debian.archive().uri} {_SUITE} main"
        wanted = "--include=ca-certificates,dumb-init,git"
        call("mmdebstrap", "--quiet", "--variant=minbase", wanted, _SUITE, fresh, line)
        fresh.replace(tar)
    made.client.api.import_image_from_file(str(tar), repository=_ROOT, tag="latest")
    made.put("/root/base", {"Dockerfile": _BASE.format(rig.special(RUNNER)).encode()})
    made.run(f"docker build --quiet --tag {box.base_name()} /root/base")


def doctor(host: Box) -> None:
    """Have doctor find no fault in the container where gitlab-runner is."""
    said = host.run(f"docker exec {box.NAME} dind-executor doctor --json || true")
    found = json.loads(said)
    for each in found["checks"]:
        if each["level"] in ("warn", "fail"):
            print(f"doctor: {each['level']} {each['id']}: {each['found']}")
    assert found["ok"], said
    print(
        f"doctor has looked at {len(found['checks'])} things in the container, and none is a fault."
    )


def a_job(host: Box, rig: Rig, directory: Path) -> None:
    """Have GitLab give the runner a job that builds an image and runs it."""
    with server.serving(directory / "repositories", rig.address) as gitlab:
        host.start(gitlab)
        checkout = sources.commit(PROJECT_FILES, directory / "tree")
        pushed = Pushed(gitlab, checkout, project_variables(pipelines.variables(rig)))
        job = pushed.start_only(parse_pipeline(_JOB, "builds")).wait(_SECONDS)
        assert job.state == "success", trace.plain(job.trace)
        assert "built" in trace.lines(job.trace)
        eventually(lambda: host.objects() == [], "cleanup has removed everything")
        print("The first job has built an image and run it, and nothing of it is left.")
        doctor(host)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dist", type=Path)
    given = parser.parse_args()
    package = given.dist / f"dind-executor_{__version__}_amd64.deb"
    rig = state.load()
    directory = Path(tempfile.mkdtemp())
    packages = {package.name: package.read_bytes(), _OTHER: b""}
    try:
        with box.box(rig, make_base, packages) as host:
            said = host.run(_LOOK)
            print(said, end="")
            version, python, other = said.splitlines()
            assert version.split()[-1] == __version__, said
            assert python.startswith("/opt/dind-executor/"), said
            assert other == "no other Python", said
            a_job(host, rig, directory)
    finally:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""gitlab-runner's own helper image comes from an archive beside it where the engine has it not."""

import lzma
import shutil
import uuid
from pathlib import Path

import pytest

from executor.engine.api import Api
from executor.engine.archives import LoadFailed, load_image
from tests.rig.state import Rig
from tests.stages import scripts
from tests.stages.conftest import Start
from tests.stages.registry import LIKE_GITLABS, Images
from tests.stages.request import JobRequest
from tests.stages.witness import Witness

HELPER = "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper"


def export(witness: Witness, image: str, path: Path) -> None:
    """Write an image's files as gitlab-runner's packages have them."""
    container = witness.client.containers.create(image, ["sh"])
    try:
        with lzma.open(path, "wb", preset=0) as file:
            file.writelines(container.export())  # type: ignore[arg-type]
    finally:
        container.remove()


def test_a_job_by_the_archive_beside_the_runner(
    rig: Rig, start: Start, witness: Witness, images: Images, tmp_path: Path
) -> None:
    """The policy `always` asks no registry for it, and no line of the job log tells of it."""
    flavor = uuid.uuid4().hex
    directory = tmp_path / "lib/gitlab-runner/helper-images"
    directory.mkdir(parents=True)
    helper = images.changed(rig.helper_image, LIKE_GITLABS)
    export(witness, str(helper.id), directory / f"prebuilt-{flavor}-x86_64.tar.xz")
    # A process of the runner's name that calls the hooks.
    runner = tmp_path / "bin/gitlab-runner"
    runner.parent.mkdir()
    shutil.copy("/bin/sh", runner)
    keys = {"helper_image": "", "helper_image_flavor": flavor, "pull_policy": "always"}
    job = start(JobRequest(), {"docker": keys, "dind": {"mode": "service"}})
    job.config().passed()
    hook = str(Path(__file__).parents[2] / "hooks/prepare")
    try:
        prepared = job.start("prepare", program=(str(runner), "-c", '"$@"; exit $?', "sh", hook))
        said = prepared.finish().passed().output
        assert "helper" not in said
        fetched = job.run("get_sources", scripts.sources(job.values, frozenset()))
        fetched.passed()
        image = witness.client.images.get(f"{HELPER}:{flavor}-x86_64-v17.9.0")
        assert witness.container(job.id, "helper").attrs["Image"] == image.id
        assert job.script("ls source.txt").passed().stdout.endswith("source.txt\n")
    finally:
        job.cleanup().passed()
        images.forget(f"{HELPER}:{flavor}-x86_64-v17.9.0")


@pytest.fixture
def name(images: Images) -> str:
    """Return a name that no image has; one of that name goes at the end."""
    name = f"dind-executor-tests/loaded:{uuid.uuid4().hex}"
    images.expect(name)
    return name


def test_the_engine_makes_an_image_of_a_root_filesystem(
    rig: Rig, witness: Witness, tmp_path: Path, name: str
) -> None:
    """The image gets the entrypoint that the archive has lost."""
    path = tmp_path / "prebuilt.tar.xz"
    export(witness, "alpine:latest", path)

    facts = load_image(Api(rig.engine_host), str(path), name)

    assert facts.entrypoint == ("/usr/bin/dumb-init", "/entrypoint")
    made = witness.client.images.get(name)
    listed = witness.client.containers.run(made, ["/bin"], entrypoint=["ls"], remove=True)
    assert (made.id, b"busybox" in listed.split()) == (facts.id, True)


def test_the_engine_loads_an_image(
    rig: Rig, witness: Witness, images: Images, tmp_path: Path, name: str
) -> None:
    """The engine finds out itself how the archive is packed: this one is not."""
    image = images.fresh()
    path = tmp_path / "prebuilt.docker.tar.zst"
    path.write_bytes(b"".join(image.save()))
    images.forget(str(image.id))

    assert load_image(Api(rig.engine_host), str(path), name).id == image.id
    assert witness.client.images.get(name).id == image.id


def test_what_ends_too_early_becomes_no_image(
    rig: Rig, witness: Witness, tmp_path: Path, name: str
) -> None:
    """An archive that was cut short is refused, though every byte of it is good."""
    path = tmp_path / "prebuilt.tar.xz"
    export(witness, "alpine:latest", path)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(LoadFailed, match="ended before the end-of-stream marker"):
        load_image(Api(rig.engine_host), str(path), name)

    assert witness.client.images.list(name) == []


def test_what_is_no_archive_is_told_in_the_engines_words(
    rig: Rig, tmp_path: Path, name: str
) -> None:
    """The message quotes the engine for an image and for a root filesystem."""
    packed, plain = tmp_path / "prebuilt.tar.xz", tmp_path / "prebuilt.docker.tar.zst"
    packed.write_bytes(lzma.compress(b"no tar " * 1000))
    plain.write_bytes(b"no tar " * 1000)

    for path in (packed, plain):
        with pytest.raises(LoadFailed, match="tar"):
            load_image(Api(rig.engine_host), str(path), name)

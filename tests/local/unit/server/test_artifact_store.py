"""The jobs' tokens and the artifacts that they left."""

import io
from pathlib import Path

from executor.local.server.artifact_store import ArtifactStore


def test_a_token_is_its_jobs_as_long_as_the_job_runs(tmp_path: Path) -> None:
    """Another job's token, or one of a job that is over, owns nothing."""
    store = ArtifactStore(tmp_path)
    one, other = store.admit(1), store.admit(2)
    assert store.owns(one, 1)
    assert not store.owns(other, 1)
    assert store.knows(other)
    store.dismiss(2)
    assert not store.knows(other)
    assert not store.owns(other, 2)


def test_no_token_is_no_token_of_a_job(tmp_path: Path) -> None:
    """An empty token is unknown, with jobs and without."""
    store = ArtifactStore(tmp_path)
    assert not store.knows("")
    store.admit(1)
    assert not store.knows("")


def test_a_job_keeps_as_many_bytes_as_it_says(tmp_path: Path) -> None:
    """The rest of the body is the form's and not the archive's."""
    store = ArtifactStore(tmp_path)
    assert store.of(1) is None
    store.keep(1, io.BytesIO(b"archive and more"), 7)
    kept = store.of(1)
    assert kept is not None
    assert kept.size == 7
    assert kept.path.read_bytes() == b"archive"

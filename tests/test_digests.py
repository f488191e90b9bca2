"""Digests without OpenSSL."""

import hashlib
import subprocess
import sys

import pytest

from executor import digests


@pytest.mark.parametrize("name", digests.__all__)
@pytest.mark.parametrize("data", [b"", b"dind-executor\n", b"x" * 1_000_000])
def test_digests_are_those_of_hashlib(name: str, data: bytes) -> None:
    """Names of volumes and files come from them, and an upgrade finds the old ones."""
    ours = getattr(digests, name)(data, usedforsecurity=False)

    assert ours.hexdigest() == hashlib.new(name, data, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("missing", ["_md5", "_sha1"])
def test_a_python_without_its_own(missing: str) -> None:
    """Some distributions build OpenSSL's alone."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from executor.digests import sha256; assert 'hashlib' in sys.modules\n"
        "print(sha256(b'x').hexdigest())"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == hashlib.sha256(b"x").hexdigest()

"""The private authorities that the administrator names."""

import os
from pathlib import Path

import pytest

from executor.errors import SettingsError
from executor.host.authorities import read_authorities

ONE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
TWO = ONE.replace("MIIB", "MIIC")
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def test_no_file_no_authorities() -> None:
    """An administrator need not have any."""
    assert read_authorities("") == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE, ONE),
        (ONE + TWO, ONE + TWO),
        (f"# caf\N{LATIN SMALL LETTER E WITH ACUTE}\n{ONE}subject=x\n{TWO}", ONE + TWO),
        (ONE.replace("\n", "\r\n"), ONE),
        (ONE.rstrip("\n"), ONE),
        # whoever copies a key there does not hand it to every job
        (KEY + ONE + KEY, ONE),
    ],
)
def test_only_certificates_are_taken(tmp_path: Path, text: str, expected: str) -> None:
    """Comments stay behind, and so do keys."""
    file = tmp_path / "authorities.pem"
    file.write_text(text)

    assert read_authorities(str(file)) == expected.encode()


@pytest.mark.parametrize("text", ["", "nothing", KEY, ONE.partition("-----END")[0], "0\x82\x01"])
def test_a_file_without_certificates(tmp_path: Path, text: str) -> None:
    """The administrator reads which file it is, and which key names it."""
    file = tmp_path / "authorities.pem"
    file.write_text(text)

    with pytest.raises(SettingsError, match="has no certificate in PEM form") as raised:
        read_authorities(str(file))

    assert str(file) in str(raised.value)
    assert "`[dind] authorities_in_builds`" in str(raised.value)
    assert "MIIE" not in str(raised.value)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe, a directory, a device, a huge file or none at all: each is named at once."""
    os.mkfifo(tmp_path / "pipe")
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 2 * 1024 * 1024)

    for path, reason in {
        tmp_path / "pipe": "it is not a regular file",
        tmp_path: "(it is not a regular file|Is a directory)",
        Path("/dev/zero"): "it is not a regular file",
        huge: "it is larger than 1 MiB",
        tmp_path / "none": "No such file or directory",
    }.items():
        with pytest.raises(SettingsError, match=f"{path} cannot be read: {reason}"):
            read_authorities(str(path))

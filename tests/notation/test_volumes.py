"""The grammar of `volumes`, as gitlab-runner has it, and what settings are told of mistakes."""

import pytest

from executor.errors import SettingsError
from executor.notation.volumes import InvalidVolume, VolumeEntry, parse_volume
from tests.builders import some_settings


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/destination", VolumeEntry("", "/destination", "")),
        ("/destination:rw", VolumeEntry("", "/destination", "rw")),
        ("/with spaces", VolumeEntry("", "/with spaces", "")),
        ("/with,comma", VolumeEntry("", "/with,comma", "")),
        ("/source:/destination", VolumeEntry("/source", "/destination", "")),
        ("/source:/destination/", VolumeEntry("/source", "/destination/", "")),
        ("/:/host", VolumeEntry("/", "/host", "")),
        ("/source:/destination:rw", VolumeEntry("/source", "/destination", "rw")),
        ("/source:/destination:RO", VolumeEntry("/source", "/destination", "ro")),
        ("/source:/destination:ro,z", VolumeEntry("/source", "/destination", "ro,z")),
        ("/source:/destination:ro,Z", VolumeEntry("/source", "/destination", "ro,Z")),
        ("/source:/destination:z", VolumeEntry("/source", "/destination", "z")),
        ("/source:/destination:Z", VolumeEntry("/source", "/destination", "Z")),
        ("/source:/destination:O", VolumeEntry("/source", "/destination", "O")),
        ("/source:/destination:O,z", VolumeEntry("/source", "/destination", "O,z")),
        ("/Source:/Destination:rw", VolumeEntry("/Source", "/Destination", "rw")),
        ("/my path:/container path:rw", VolumeEntry("/my path", "/container path", "rw")),
        ("volume_name:/destination", VolumeEntry("volume_name", "/destination", "")),
        ("/source:/destination:rslave", VolumeEntry("/source", "/destination", "rslave")),
        ("/source:/destination:ro,rslave", VolumeEntry("/source", "/destination", "ro,rslave")),
        ("/source:/destination:rw:rslave", VolumeEntry("/source", "/destination", "rw,rslave")),
        ("/source:/some/$VAR/x", VolumeEntry("/source", "/some/$VAR/x", "")),
        ("/cache/${A}/$B-c", VolumeEntry("", "/cache/${A}/$B-c", "")),
        ("/source:/${r/$$-test/dir", VolumeEntry("/source", "/${r/$$-test/dir", "")),
    ],
)
def test_an_entry_is_taken_apart(text: str, wanted: VolumeEntry) -> None:
    """Source, destination and mode are read as the Docker executor reads them."""
    assert parse_volume(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "destination",
        ":/destination",
        "/destination:",
        "/a//b",
        "/source:/destination:T",
        "/source:/destination:rw:something",
        "/source:/destination:unknown",
        "/source:/destination:ro,unknown",
        "/source:/destination:,rslave",
        "/source:/destination:rslave,ro",
        "/source:destination",
        "/source:$VAR/x",
        "not/absolute:/destination",
        "/what?:/destination",
        "/source:/desti*nation",
        "/source:/with\nlines",
    ],
)
def test_a_text_that_is_no_entry_is_refused(text: str) -> None:
    """The message says what is wrong with the entry."""
    with pytest.raises(InvalidVolume) as error:
        parse_volume(text)
    assert str(error.value) == f'invalid volume specification: "{text}"'


@pytest.mark.parametrize(
    ("volumes", "wanted"),
    [
        ('["/cache", "nonsense"]', 'volumes[1]: invalid volume specification: "nonsense"'),
        ('["/"]', "volumes[0]: build directory needs to be a non-root path"),
        ('["/host:/./"]', "volumes[0]: build directory needs to be a non-root path"),
        ('["/a/../b"]', "volumes[0]: '/a/../b' must not contain .."),
        ('["/run/dind-executor/x"]', "volumes[0]: '/run/dind-executor/x' belongs to dind-executor"),
        (
            '["/cache", "/srv/cache:/cache/"]',
            'volumes[1]: volume for container path "/cache" is already defined',
        ),
    ],
)
def test_a_mistake_is_found_when_settings_are_read(volumes: str, wanted: str) -> None:
    """A mistake in an entry is reported before any job, with the key."""
    with pytest.raises(SettingsError) as error:
        some_settings(f"[docker]\nvolumes = {volumes}")
    assert f"docker.{wanted}" in str(error.value)


def test_builds_of_the_host_stay_clear_of_dinds_own() -> None:
    """They are mounted in dind too, where a directory above its data would cover it."""
    with pytest.raises(SettingsError, match="covers /var/lib/docker, which dind uses itself"):
        some_settings('builds_dir = "/var/builds"\n[docker]\nvolumes = ["/srv:/var"]')

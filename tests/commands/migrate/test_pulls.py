"""What `migrate` says of a host that pulls no images."""

import pytest

from tests.commands.migrate.samples import migrated


@pytest.mark.parametrize(
    ("docker", "image"),
    [
        ({"pull_policy": "never"}, "docker:28-dind"),
        (
            {"pull_policy": ["never"], "services": [{"name": "r/docker:27-dind"}]},
            "r/docker:27-dind",
        ),
        ({"pull_policy": ["always", "never"]}, ""),
        ({"pull_policy": "if-not-present"}, ""),
        ({"pull_policy": 3}, ""),
        ({}, ""),
    ],
)
def test_a_host_that_pulls_nothing_needs_the_sidecars_image(
    docker: dict[str, object], image: str
) -> None:
    """The note names the image, and the setting for runners that need no Docker."""
    notes = [each for each in migrated(docker).notes if "must be on the host" in each]

    assert len(notes) == bool(image)
    if image:
        assert f"the sidecar's image {image} must be" in notes[0]
        assert '`[dind] mode = "service"`' in notes[0]

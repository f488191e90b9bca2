"""How many bytes came, or that nobody knows."""

import pytest

from executor.engine.transfers import Transfer

Event = dict[str, object]


def layer(name: str, status: str, total: int | None = None) -> Event:
    """Return an event about a layer."""
    detail: Event = {} if total is None else {"current": 1, "total": total}
    return {"id": name, "status": status, "progressDetail": detail}


def moved(*events: Event) -> int | None:
    """Return what the engine has said of all of a pull."""
    transfer = Transfer()
    for each in events:
        transfer.take(each)
    return transfer.moved


def test_the_lengths_of_all_layers_add_up() -> None:
    """Each counts once, however often it is reported, and however it is unpacked."""
    assert (
        moved(
            {"status": "Pulling from library/docker", "id": "28"},
            layer("a", "Pulling fs layer"),
            layer("b", "Pulling fs layer"),
            layer("c", "Already exists"),
            layer("a", "Downloading", 100),
            layer("a", "Downloading", 100),
            layer("b", "Waiting"),
            layer("b", "Downloading", 30),
            layer("b", "Verifying Checksum"),
            layer("a", "Extracting", 900),
            layer("a", "Pull complete"),
            {"status": "Digest: sha256:ab"},
        )
        == 130
    )


def test_an_image_that_was_there_brings_nothing() -> None:
    """The engine says that it is up to date, and names no layer."""
    assert moved({"status": "Status: Image is up to date for docker:28"}) == 0


@pytest.mark.parametrize(
    "said",
    [
        (layer("a", "Pulling fs layer"), layer("a", "Download complete")),
        (layer("a", "Pulling fs layer"), layer("a", "Downloading")),
        (layer("a", "Pulling fs layer"), layer("a", "Downloading", -1)),
        (layer("a", "Waiting"), layer("b", "Downloading", 5)),
    ],
)
def test_a_layer_of_unknown_length_leaves_the_sum_unknown(said: tuple[Event, ...]) -> None:
    """A part of it would be read as all of it."""
    assert moved(*said) is None


def test_what_no_engine_says_is_no_layer() -> None:
    """A registry's words may stand in an event."""
    assert moved({"id": 5, "status": "Downloading"}, {"status": ["Downloading"], "id": "x"}) == 0

"""What is kept, and what of it must stay."""

import os
import time
from pathlib import Path

import pytest

from executor.budgets.claims import of_image, of_volume, uses
from executor.budgets.look import kinds_of, look
from executor.budgets.records import Records
from executor.budgets.things import Stays
from executor.errors import EngineRefused
from executor.names import LABEL
from executor.notation.claims import CLAIM_LABEL
from tests.budgets.shelf import DAY, Shelf, image_id
from tests.builders import some_settings
from tests.engine.stub import Connection, Received, http, refusal

PINNED = f"c@sha256:{'c' * 64}"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(str(tmp_path), "unix:///engine")


def test_which_volumes_are_kept(shelf: Shelf, records: Records) -> None:
    """Those with the labels of a kept volume: none of a job's, none of anybody else's."""
    shelf.cache("a")
    shelf.cache("b", destination="/builds")
    shelf.cache("c", labels={**_labels(shelf, "a"), "dind-executor.type": "layers"})
    shelf.cache("job's", labels={**_labels(shelf, "a"), LABEL: "1-ab"})
    shelf.cache("administrator's", labels={})
    shelf.cache("docker executor's", labels={"com.gitlab.gitlab-runner.reusable": "true"})
    shelf.cache("temporary", labels={"dind-executor.type": "cache"})

    seen = look(shelf.engine(), some_settings(), records.known())

    assert kinds_of(seen.things) == {"a": "cache", "b": "builds", "c": "layers"}
    assert len(seen.volumes) == 7


def test_layers_are_claimed_whatever_version_they_are_of(shelf: Shelf, records: Records) -> None:
    """A job claims those of its slot before it knows its sidecar's image."""
    shelf.cache("a")
    layers = {"dind-executor.type": "layers", "dind-executor.layers": "s-layers"}
    shelf.cache("s-layers-26", labels={**_labels(shelf, "a"), **layers})
    shelf.cache("claim", labels={LABEL: "1-ab", CLAIM_LABEL: of_volume("s-layers")})

    seen = look(shelf.engine(), some_settings(), records.known())

    assert {each.name: each.stays for each in seen.things}["s-layers-26"] is Stays.CLAIMED


def _labels(shelf: Shelf, name: str) -> dict[str, str]:
    labels = shelf.volumes[name]["Labels"]
    assert isinstance(labels, dict)
    return labels


def test_without_a_record_a_volume_was_used_when_it_was_made(
    shelf: Shelf, records: Records
) -> None:
    """With one it counts; a volume of which nobody knows anything counts as used now."""
    shelf.cache("made", days=5)
    shelf.cache("used", days=5)
    shelf.cache("unknown")
    shelf.volumes["unknown"]["CreatedAt"] = None
    records.volumes_used(["used"])

    seen = look(shelf.engine(), some_settings(), records.known())

    ages = {each.name: (time.time() - each.used) / DAY for each in seen.things}
    assert round(ages["made"], 1) == 5.0
    assert ages["used"] < 0.1
    assert ages["unknown"] < 0.1


def test_a_driver_that_does_not_say_when_a_volume_was_made(shelf: Shelf, records: Records) -> None:
    """The engine says the year 1 then, and the volume is not the oldest of all."""
    shelf.cache("a")
    shelf.volumes["a"]["CreatedAt"] = "0001-01-01T00:00:00Z"

    (thing,) = look(shelf.engine(), some_settings(), records.known()).things

    assert abs(thing.used - time.time()) < 60


def test_a_record_that_lies_ahead_is_now(shelf: Shelf, records: Records, tmp_path: Path) -> None:
    """The clock may have been wrong."""
    shelf.cache("a")
    records.volumes_used(["a"])
    records.image_came(shelf.image(1, "a:1"), "a:1", "", "")
    for each in tmp_path.glob("used-*/*"):
        os.utime(each, (time.time() + DAY, time.time() + DAY))

    seen = look(shelf.engine(), some_settings(), records.known())

    assert len(seen.things) == 2
    assert all(each.used <= time.time() for each in seen.things)


def test_an_image_without_a_record_is_nobodys_here(shelf: Shelf, records: Records) -> None:
    """Only what a job's pull brought is listed."""
    mine = shelf.image(1, "alpine:3")
    shelf.image(2, "by-hand:1")
    records.image_came(mine, "alpine:3", "", "")

    (thing,) = look(shelf.engine(), some_settings(), records.known()).things

    assert (thing.name, thing.shown, thing.references) == (mine, "alpine:3", ("alpine:3",))
    assert thing.stays is Stays.NO


def test_what_must_stay(shelf: Shelf, records: Records) -> None:
    """What any container has, what the settings name, and what has another name."""
    shelf.cache("used by one that has ended")
    shelf.container("used by one that has ended", image=image_id(1), state="created")
    for number, tags in enumerate((("a:1",), ("docker:29-dind",), ("c:1", "mine:1"), ()), 1):
        records.image_came(shelf.image(number, *tags), tags[0] if tags else "d:1", "", "")

    seen = look(shelf.engine(), some_settings(), records.known())

    assert [each.stays for each in seen.things] == [
        Stays.IN_USE,
        Stays.IN_USE,
        Stays.SETTINGS,
        Stays.OTHER_NAME,
        Stays.NO,
    ]
    assert seen.things[-1].references == (image_id(4),)


def test_sizes_are_those_that_were_measured(shelf: Shelf, records: Records) -> None:
    """What was not measured has none."""
    shelf.cache("a")
    shelf.cache("b")

    seen = look(shelf.engine(), some_settings(), records.known(), {"a": 5})

    assert [each.size for each in seen.things] == [5, None]


@pytest.mark.parametrize("path", ["/volumes", "/images/json", "/containers/json"])
def test_a_list_that_fails_is_no_empty_list(shelf: Shelf, records: Records, path: str) -> None:
    """Nothing is known then."""
    shelf.stub.on("GET", path, refusal(500, "no"))

    with pytest.raises(EngineRefused):
        look(shelf.engine(), some_settings(), records.known())


def test_what_jobs_in_preparation_have_claimed(shelf: Shelf, records: Records) -> None:
    """A builds directory for itself alone, images by any of their names, caches beside others."""
    for name in ("builds", "cache", "free"):
        shelf.cache(name)
    for number, name in enumerate(("docker.io/library/a:1", "b:1"), 1):
        records.image_came(shelf.image(number, name), name, "", "")
    records.image_came(shelf.image(3, "c:1", digests=(PINNED,)), "c:1", "", "")
    labels = {LABEL: "1-ab", **uses([of_image("a:1"), of_image(PINNED), of_volume("cache")])}
    shelf.cache("dind-executor-1-ab-docker", labels=labels)
    shelf.cache("the claim", labels={LABEL: "1-ab", CLAIM_LABEL: of_volume("builds")})

    seen = look(shelf.engine(), some_settings(), records.known())

    claimed = [each.shown for each in seen.things if each.stays is Stays.CLAIMED]
    assert claimed == ["builds", "cache", "docker.io/library/a:1", "c:1"]


def test_a_claim_that_comes_during_the_look_counts(shelf: Shelf, records: Records) -> None:
    """A job that has no container yet when those are listed has claimed what it is about to use."""
    shelf.cache("cache")

    def claimed_meanwhile(connection: Connection, _received: Received) -> None:
        shelf.cache("the claim", labels={LABEL: "1-ab", **uses([of_volume("cache")])})
        connection.send(http(200, []))

    for path in ("/images/json", "/containers/json"):
        shelf.stub.on("GET", path, claimed_meanwhile)

    (thing,) = look(shelf.engine(), some_settings(), records.known()).things

    assert thing.stays is Stays.CLAIMED

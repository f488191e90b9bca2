"""Which volumes a job gets: caches and sources that last, those that do not, and what may not be."""

from dataclasses import replace

import pytest

from executor.errors import UnsupportedJobOption
from executor.plan.inputs import Inputs
from executor.plan.labels import PREFIX
from executor.plan.mounts import forgotten
from executor.plan.transport import transport
from executor.plan.volumes import job_volumes, with_own_builds
from tests.builders import a_variable, fetching, some_inputs

OWN = "dind-executor-4711-0123456789"
SLOT = "runner-t3stt0ken-project-42-concurrent-0-"
MD5 = {"/cache": "3c3f060a0374fc8bc39395164f415a70"}
TLS = transport({}, {})


def sources(inputs: Inputs) -> dict[str, str]:
    """Return what is mounted where."""
    return {each.destination: each.source for each in job_volumes(inputs).all}


@pytest.mark.parametrize(
    ("strategy", "lasts"), [("fetch", True), ("clone", False), ("none", False), ("empty", False)]
)
def test_sources_last_where_the_next_job_fetches(strategy: str, *, lasts: bool) -> None:
    """A job that fetches finds the sources of the one before."""
    (builds,) = job_volumes(some_inputs(values={"GIT_STRATEGY": strategy})).all
    assert builds.destination == "/builds"
    assert builds.volume
    assert ("dind-executor.job" in builds.volume.labels) is not lasts
    assert builds.source.startswith(SLOT if lasts else f"{OWN}-builds")


def test_a_cache_volume_is_of_runner_project_slot_and_destination() -> None:
    """Its name follows from these alone; its labels tell them, and nothing of the job."""
    (cache, _) = job_volumes(some_inputs(settings='docker.volumes = ["/cache"]')).all
    assert cache.volume
    assert cache.source == cache.volume.name
    assert cache.source.startswith(SLOT)
    assert cache.source.endswith("-cache-" + MD5["/cache"])
    assert cache.volume.labels == {
        "dind-executor.type": "cache",
        f"{PREFIX}.managed": "true",
        f"{PREFIX}.type": "cache",
        f"{PREFIX}.project.id": "42",
        f"{PREFIX}.project.runner_id": "0",
        f"{PREFIX}.runner.id": "t3stt0ken",
        f"{PREFIX}.destination": "/cache",
        f"{PREFIX}.protected": "false",
        f"{PREFIX}.reusable": "true",
    }


@pytest.mark.parametrize(
    "other",
    [
        fetching(job_info={"name": "build", "stage": "build", "project_id": 43}),
        fetching(values={"CI_CONCURRENT_PROJECT_ID": "1"}),
        fetching(values={"CI_RUNNER_SHORT_TOKEN": "another00"}),
        fetching(values={"CI_RUNNER_SHORT_TOKEN": "T3STT0KEN"}),
        fetching(variables=[a_variable("CI_RUNNER_ID", "8")]),
        fetching(git_info={"repo_url": "https://x:y@gitlab.example.org/g/p.git"}),
    ],
    ids=["project", "slot", "runner", "runner's case", "runner's id", "server"],
)
def test_no_other_slot_has_the_same_volume(other: Inputs) -> None:
    """Each runner, project and slot has a volume of its own."""
    assert sources(other)["/builds"] != sources(fetching())["/builds"]


def test_a_later_variable_is_not_gitlabs_word() -> None:
    """An author's CI_RUNNER_ID comes after GitLab's own and changes nothing."""
    own, authors = a_variable("CI_RUNNER_ID", "8"), a_variable("CI_RUNNER_ID", "9")
    assert sources(fetching(variables=[own, authors])) == sources(fetching(variables=[own]))


@pytest.mark.parametrize("key", ["CI_CONCURRENT_PROJECT_ID", "CI_RUNNER_SHORT_TOKEN"])
@pytest.mark.parametrize("place", ["variables", "secrets"])
def test_a_job_that_names_another_slot_gets_none(key: str, place: str) -> None:
    """Its variable would win over the runner's: nothing of it lasts, and the job log says why."""
    inputs = fetching(
        'docker.volumes = ["/cache"]',
        values={key: "1"},
        variables=[a_variable(key, "1")] if place == "variables" else (),
        secrets={key: {}} if place == "secrets" else {},
    )
    assert all(source.startswith(OWN) for source in sources(inputs).values())
    (notice,) = job_volumes(inputs).notices
    assert f"The job overrides {key}" in notice


def test_a_slot_that_nobody_names_shares_nothing() -> None:
    """Without the runner's own words nothing is shared."""
    inputs = fetching(values={"CI_CONCURRENT_PROJECT_ID": "../1"})
    assert sources(inputs) == {"/builds": f"{OWN}-builds"}


def test_disable_cache_makes_everything_go_with_the_job() -> None:
    """What the administrator mounts from the host stays what it is."""
    inputs = fetching('[docker]\nvolumes = ["/cache", "/srv/x:/x"]\ndisable_cache = true')
    assert sources(inputs) == {
        "/cache": f"{OWN}-cache-{MD5['/cache']}",
        "/x": "/srv/x",
        "/builds": f"{OWN}-builds",
    }
    assert all(spec.labels["dind-executor.job"] for spec in job_volumes(inputs).specs)


def test_a_cache_directory_of_the_host_takes_the_volumes_place() -> None:
    """It holds caches and sources, protected ones apart; nobody changes modes on the host."""
    git_info = {"repo_url": "", "protected": True}
    settings = '[docker]\nvolumes = ["/cache"]\ncache_dir = "/srv/c/"'
    inputs = fetching(settings, git_info=git_info)
    volumes = job_volumes(inputs)
    assert (volumes.specs, volumes.opened) == ((), ())
    cache, builds = volumes.binds
    assert cache.startswith(f"/srv/c/{SLOT}")
    assert cache.endswith(f"/{MD5['/cache']}-protected:/cache")
    assert builds.endswith("-protected:/builds")


def test_the_volume_driver_makes_caches_and_sources() -> None:
    """The driver of the settings and its options reach each volume."""
    inputs = some_inputs(
        settings='[docker]\nvolume_driver = "nfs"\nvolume_driver_ops = {share = "ci"}\n'
        'volumes = ["/cache"]'
    )
    made = {(spec.driver, tuple(spec.options.items())) for spec in job_volumes(inputs).specs}
    assert made == {("nfs", (("share", "ci"),))}


@pytest.mark.parametrize("entry", ["/srv/builds:/builds", "/srv:/ci", "named:/ci"])
def test_builds_of_the_host_take_the_volumes_place(entry: str) -> None:
    """A host directory at or above the builds directory is used whatever the strategy is."""
    builds_dir = "/builds" if entry.endswith("builds") else "/ci/builds"
    inputs = fetching(f'builds_dir = "{builds_dir}"\ndocker.volumes = ["{entry}"]')
    assert job_volumes(inputs).specs == ()
    assert job_volumes(inputs).binds == (entry,)


def test_builds_in_a_cache_volume_last_whatever_the_strategy() -> None:
    """A volume of the settings at the builds directory lasts even if the job clones."""
    inputs = some_inputs(settings='docker.volumes = ["/builds"]', values={"GIT_STRATEGY": "clone"})
    assert list(sources(inputs)) == ["/builds"]
    assert sources(inputs)["/builds"].startswith(SLOT)


@pytest.mark.parametrize("volumes", ["[]", '["/builds"]'])
def test_builds_that_another_job_works_in_are_left_to_it(volumes: str) -> None:
    """Caches are shared all the same: they are written whole."""
    inputs = fetching(f"docker.volumes = {volumes}")
    assert sources(inputs)["/builds"].startswith(SLOT)
    assert {each.destination: each.source for each in with_own_builds(inputs).all} == {
        "/builds": f"{OWN}-builds"
    }


def test_variables_are_expanded_in_the_destination_alone() -> None:
    """The source is the administrator's choice and stays as it is."""
    inputs = some_inputs(
        settings='docker.volumes = ["/srv/$A:/opt/$A:ro", "/cache/${A}/${B}"]',
        values={"A": "one", "B": "two"},
    )
    volumes = job_volumes(inputs)
    assert volumes.binds == ("/srv/$A:/opt/one:ro",)
    assert [destination for _, destination in volumes.mounts] == ["/cache/one/two", "/builds"]


def test_two_entries_that_meet_by_variables_are_refused() -> None:
    """Two volumes that a job's variables put at one place are refused."""
    inputs = some_inputs(settings='docker.volumes = ["/a", "/$DIR/"]', values={"DIR": "a"})
    with pytest.raises(UnsupportedJobOption) as error:
        job_volumes(inputs)
    assert str(error.value) == 'volume for container path "/a" is already defined'


def test_the_innermost_of_the_administrators_directories_holds_the_builds() -> None:
    """Where one lies in the other, both are mounted."""
    inputs = fetching(
        'builds_dir = "/a/builds"\ndocker.volumes = ["/srv/b:/a/builds", "/srv/a:/a", "/srv/c:/b"]'
    )
    volumes = job_volumes(inputs)

    assert [(each.source, each.holds_builds) for each in volumes.all] == [
        ("/srv/b", True),
        ("/srv/a", False),
        ("/srv/c", False),
    ]
    assert forgotten(inputs, volumes) == ""


def test_fresh_sources_have_a_name_of_their_own() -> None:
    """Everything else is as it was: the labels, and the caches."""
    inputs = fetching('docker.volumes = ["/cache"]')
    first, later = job_volumes(inputs), job_volumes(replace(inputs, generation=2))

    assert later.builds.source == f"{first.builds.source}-3"
    assert first.builds.volume
    assert later.builds.volume == replace(first.builds.volume, name=later.builds.source)
    assert [each for each in later.all if not each.holds_builds] == [
        each for each in first.all if not each.holds_builds
    ]
    assert {each.first for each in (first.builds, later.builds)} == {first.builds.source}

"""Which volumes a job gets: caches and sources that last, those that do not, and what may not be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from executor.errors import UnsupportedJobOption
from executor.plan.inputs import Inputs
from executor.plan.labels import PREFIX
from executor.plan.mounts import build_volumes, dind_volumes, forgotten
from executor.plan.slots import git_strategy, is_protected
from executor.plan.transport import transport
from executor.plan.volumes import job_volumes, with_own_builds
from executor.runner.payload import parse_job
from tests.builders import a_payload, a_variable, some_inputs

OWN = "dind-executor-4711-0123456789"
SLOT = "runner-t3stt0ken-project-42-concurrent-0-"
MD5 = {"/cache": "3c3f060a0374fc8bc39395164f415a70"}
TLS = transport({}, {})


def fetching(
    settings: str = "",
    *,
    variables: Sequence[Mapping[str, object]] = (),
    values: Mapping[str, str] | None = None,
    **payload: object,
) -> Inputs:
    """Return a inputs of a project whose jobs fetch."""
    changes: dict[str, object] = {"allow_git_fetch": True, **payload}
    return some_inputs(
        settings=settings, variables=variables, values=values, catalogue=None, **changes
    )


def sources(inputs: Inputs) -> dict[str, str]:
    """Return what is mounted where."""
    return {each.destination: each.source for each in job_volumes(inputs).all}


@pytest.mark.parametrize(
    ("value", "may_fetch", "wanted"),
    [
        ("fetch", False, "fetch"),
        ("clone", True, "clone"),
        ("none", True, "none"),
        ("empty", True, "empty"),
        ("", True, "fetch"),
        ("", False, "clone"),
        ("FETCH", False, "clone"),
        ("sideways", True, "fetch"),
    ],
)
def test_the_git_strategy_is_gitlab_runners(value: str, *, may_fetch: bool, wanted: str) -> None:
    """What the job says; what its project's settings say where it says nothing, or nonsense."""
    inputs = some_inputs(allow_git_fetch=may_fetch, values={"GIT_STRATEGY": value})
    assert git_strategy(inputs) == wanted


@pytest.mark.parametrize(
    ("strategy", "lasts"), [("fetch", True), ("clone", False), ("none", False), ("empty", False)]
)
def test_sources_last_where_the_next_job_fetches(strategy: str, *, lasts: bool) -> None:
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


@pytest.mark.parametrize(
    ("protected", "variables", "keys", "wanted"),
    [
        (None, [], [], False),
        (True, [], [], True),
        (False, ["true"], [], False),
        (None, ["true"], [], True),
        (None, ["true", "false"], [], True),
        (None, ["false", "true"], [], False),
        (False, [], ["main-protected"], True),
        (False, [], ["main-non_protected"], False),
        (True, [], ["main-non_protected"], True),
        (None, [], ["main", "other-protected"], True),
    ],
)
def test_caches_of_protected_refs_are_apart(
    *, protected: bool | None, variables: list[str], keys: list[str], wanted: bool
) -> None:
    """By GitLab's word, else its first variable, or by a cache key that GitLab marked."""
    given = [a_variable("CI_COMMIT_REF_PROTECTED", each) for each in variables]
    inputs = fetching(
        variables=given,
        git_info={"repo_url": "https://gitlab.example.com/g/p.git", "protected": protected},
        cache=[{"key": key} for key in keys],
    )
    assert is_protected(inputs.job) is wanted
    (builds,) = job_volumes(inputs).all
    assert builds.volume
    assert builds.source.endswith("-protected") is wanted
    assert builds.volume.labels[f"{PREFIX}.protected"] == str(wanted).lower()


def test_disable_cache_makes_everything_go_with_the_job() -> None:
    """But what the administrator mounts from the host stays what it is."""
    inputs = fetching('[docker]\nvolumes = ["/cache", "/srv/x:/x"]\ndisable_cache = true')
    assert sources(inputs) == {
        "/cache": f"{OWN}-cache-{MD5['/cache']}",
        "/x": "/srv/x",
        "/builds": f"{OWN}-builds",
    }
    assert all(spec.labels["dind-executor.job"] for spec in job_volumes(inputs).specs)


def test_a_cache_directory_of_the_host_takes_the_volumes_place() -> None:
    """For caches and sources, protected ones apart; nobody changes modes on the host."""
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
    inputs = some_inputs(
        settings='[docker]\nvolume_driver = "nfs"\nvolume_driver_ops = {share = "ci"}\n'
        'volumes = ["/cache"]'
    )
    made = {(spec.driver, tuple(spec.options.items())) for spec in job_volumes(inputs).specs}
    assert made == {("nfs", (("share", "ci"),))}


@pytest.mark.parametrize("entry", ["/srv/builds:/builds", "/srv:/ci", "named:/ci"])
def test_builds_of_the_host_take_the_volumes_place(entry: str) -> None:
    """Whatever the strategy: a directory of the administrator's at or above the builds directory."""
    builds_dir = "/builds" if entry.endswith("builds") else "/ci/builds"
    inputs = fetching(f'builds_dir = "{builds_dir}"\ndocker.volumes = ["{entry}"]')
    assert job_volumes(inputs).specs == ()
    assert job_volumes(inputs).binds == (entry,)


def test_builds_in_a_cache_volume_last_whatever_the_strategy() -> None:
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
    inputs = some_inputs(
        settings='docker.volumes = ["/srv/$A:/opt/$A:ro", "/cache/${A}/${B}"]',
        values={"A": "one", "B": "two"},
    )
    volumes = job_volumes(inputs)
    assert volumes.binds == ("/srv/$A:/opt/one:ro",)
    assert [destination for _, destination in volumes.mounts] == ["/cache/one/two", "/builds"]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("../etc", "must not contain .."),
        ("x/../../etc", "must not contain .."),
        ("a:ro", "would not be a path"),
        ("a\nb", "would not be a path"),
        ("/glcbt-64_sample-token", "would show a masked variable"),
    ],
)
def test_a_variable_does_not_leave_its_place(value: str, wrong: str) -> None:
    """The sentence names the administrator's entry and never the value, which may be a secret."""
    inputs = some_inputs(settings='docker.volumes = ["/cache/$DIR"]', values={"DIR": value})
    with pytest.raises(UnsupportedJobOption, match=wrong) as error:
        job_volumes(inputs)
    assert 'The volume "/cache/$DIR"' in str(error.value)
    assert value not in str(error.value)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("", "needs to be a non-root path"),
        ("./", "needs to be a non-root path"),
        ("run/dind-executor/docker", "belongs to dind-executor"),
        ("certs/client", "belongs to dind-executor"),
        ("builds", "covers the builds directory"),
    ],
)
def test_a_variable_does_not_lead_to_what_is_ours(value: str, wrong: str) -> None:
    inputs = some_inputs(settings='docker.volumes = ["/srv:/$DIR"]', values={"DIR": value})
    with pytest.raises(UnsupportedJobOption, match=wrong):
        job_volumes(inputs)


def test_two_entries_that_meet_by_variables_are_refused() -> None:
    inputs = some_inputs(settings='docker.volumes = ["/a", "/$DIR/"]', values={"DIR": "a"})
    with pytest.raises(UnsupportedJobOption) as error:
        job_volumes(inputs)
    assert str(error.value) == 'volume for container path "/a" is already defined'


@pytest.mark.parametrize(
    ("destination", "seen"),
    [
        ("/cache", True),
        ("/var/lib/docker", False),
        ("/var/lib", False),
        ("/var/run/docker.sock", False),
        ("/run", False),
        ("/run/secrets", True),
        ("/certs", False),
        ("/certs/client", False),
        ("/etc/docker", False),
    ],
)
def test_dind_sees_what_does_not_cover_its_own(destination: str, *, seen: bool) -> None:
    """Its data, sockets and certificates, and the administrator's binds for it."""
    settings = f'docker.volumes = ["/srv:{destination}"]\ndind.volumes = ["/x:/etc/docker"]'
    inputs = some_inputs(settings=settings)
    volumes = dind_volumes(inputs, inputs.volumes, TLS)
    assert volumes.binds == ((f"/srv:{destination}",) if seen else ())
    assert [destination for _, destination in volumes.mounts] == ["/builds"]


@pytest.mark.parametrize(
    "source", ["/var/run/docker.sock", "/run/docker.sock/", "/var/run", "/run", "/", "/own/d.sock"]
)
def test_the_hosts_engine_is_not_in_dind(source: str) -> None:
    """Its socket may be the administrator's choice for jobs, wherever it is mounted."""
    settings = f'docker.host = "unix:///own/d.sock"\ndocker.volumes = ["{source}:/host/x", "/srv:/srv", "run:/r"]'
    inputs = some_inputs(settings=settings)

    assert dind_volumes(inputs, inputs.volumes, TLS).binds == ("/srv:/srv", "run:/r")
    assert len(build_volumes(inputs.volumes, TLS).binds) == 3


def test_the_certificates_of_the_docker_executor_idiom_give_way() -> None:
    """`volumes = ["/certs/client"]`: the job's own are there, and the next job has others."""
    inputs = some_inputs(settings='docker.volumes = ["/certs/client", "/cache"]')
    places = [each.destination for each in build_volumes(inputs.volumes, TLS).all]
    assert places == ["/cache", "/builds"]
    assert build_volumes(inputs.volumes, None).all == inputs.volumes.all


def test_a_payload_says_what_volumes_go_by() -> None:
    """Fields of older runners may be missing."""
    job = parse_job(a_payload(allow_git_fetch=True, cache=[{"key": "a"}, {"key": "b"}]))
    assert (job.may_fetch, job.protected, job.cache_keys) == (True, None, ("a", "b"))
    assert replace(job, protected=False).protected is False


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


def test_a_secret_of_a_vault_shows_in_no_destination() -> None:
    """gitlab-runner alone knows its value; it is masked all the same."""
    inputs = fetching(
        'docker.volumes = ["/cache/$A"]', values={"A": "of-a-vault"}, secrets={"A": {"file": False}}
    )
    with pytest.raises(UnsupportedJobOption, match="would show a masked variable"):
        job_volumes(inputs)

"""What a job is planned from, and what follows from it."""

from dataclasses import replace

from executor.names import GITLAB_LABEL, KEEP_LABEL, LABEL
from tests.builders import BELONGING, TOKEN, a_service, a_variable, fetching, some_inputs
from tests.plans import a_plan


def test_the_image_of_the_scripts() -> None:
    """The job's own goes first, with its variables in it; else the settings say it."""
    settings = 'docker.image = "ruby:$VERSION"'
    version = [a_variable("VERSION", "3")]

    own = some_inputs(image=a_service("app:$VERSION"), settings=settings, variables=version)
    none = some_inputs(image=a_service(""), settings=settings, variables=version)
    unset = some_inputs(image=a_service("$NOWHERE"), settings=settings, variables=version)

    assert own.image_name == "app:3"
    assert none.image_name == unset.image_name == "ruby:3"
    assert some_inputs(image=a_service("")).image_name == ""


def test_the_administrators_services_come_first() -> None:
    """Their names hold variables of the job, and their own variables are public."""
    inputs = some_inputs(
        settings='[[docker.services]]\nname = "cache:$A"\nalias = "c-$A"\nenvironment = ["B=1=2"]',
        services=[a_service("postgres:16")],
        variables=[a_variable("A", "7")],
    )

    own = inputs.services[0].asked

    assert inputs.services[0].internal
    assert (own.name, own.alias) == ("cache:7", "c-7")
    assert [(each.key, each.value, each.public) for each in own.variables] == [("B", "1=2", True)]
    assert [each.name.image for each in inputs.services] == ["cache:7", "postgres:16"]


def test_what_follows_is_the_same_object_each_time() -> None:
    """Nothing is worked out twice, whoever asks for it."""
    inputs = some_inputs()

    for name in ("variables", "services", "volumes", "job_labels"):
        assert getattr(inputs, name) is getattr(inputs, name)


def test_every_object_carries_the_jobs_labels() -> None:
    """Cleanup finds it by the key, and containers say what becomes of their volumes."""
    inputs = some_inputs()

    network, build = inputs.labels("network"), inputs.labels("build")

    for labels, kind in ((network, "network"), (build, "build")):
        assert labels[LABEL] == inputs.names.key
        assert labels["dind-executor.type"] == kind
        assert labels["dind-executor.job-id"] == "4711"
        assert labels["dind-executor.project-id"] == "42"
    assert KEEP_LABEL in build
    assert KEEP_LABEL not in network


def test_everything_that_goes_with_a_job_says_who_it_belongs_to() -> None:
    """Network, volumes and containers carry all labels; of a volume that lasts none is a job's."""
    inputs = fetching(
        "docker.volumes = ['/cache']",
        services=[a_service("docker:dind"), a_service("postgres:16")],
    )
    plan = a_plan(inputs)
    assert plan.dind
    containers = (plan.build, plan.helper, plan.dind, *plan.services)
    lasting = {each.source for each in inputs.volumes.all if each.lasts}
    own = [each for each in plan.volumes if each.name not in lasting]
    wanted = BELONGING.labels()

    assert len(containers) == 4
    assert all(each.labels.items() >= wanted.items() for each in containers)
    assert all(each.labels.items() >= wanted.items() for each in own)
    assert plan.network.labels.items() >= wanted.items()
    kept = [each for each in plan.volumes if each.name in lasting]
    assert len(kept) == 2
    assert len(own) >= 1
    for volume in kept:
        assert not volume.labels.keys() & wanted.keys()


def test_a_secret_hides_no_label_that_others_judge_by() -> None:
    """A job's author may give a secret the value of a part of a path."""
    inputs = some_inputs(variables=[a_variable("A", "custom-executor", masked=True)])

    assert inputs.labels("build").items() >= BELONGING.labels().items()


def test_gitlabs_address_is_left_out_where_it_is_a_secret() -> None:
    """The label stays, as an image's label of its name would count else."""
    inputs = replace(
        some_inputs(variables=[a_variable("A", "hunter2-host", masked=True)]),
        belonging=BELONGING._replace(gitlab="https://hunter2-host.example"),
    )

    assert inputs.labels("network")[GITLAB_LABEL] == ""


def test_a_label_of_the_settings_never_shows_a_secret() -> None:
    """Variables of the job are expanded, and a label whose value then holds a secret is left out."""
    inputs = some_inputs(
        settings='docker.container_labels = {team = "$TEAM", token = "is $CI_JOB_TOKEN"}',
        variables=[a_variable("TEAM", "blue")],
    )

    shown, left_out = inputs.container_labels

    assert shown == {"team": "blue"}
    assert list(left_out) == ["token"]
    assert TOKEN not in str(inputs.labels("build"))


def test_the_secrets_are_the_longest_first() -> None:
    """A secret that is a part of another one leaves nothing of it when it is masked."""
    inputs = some_inputs(variables=[a_variable("A", TOKEN + "-longer", masked=True)])

    assert inputs.secrets.index(TOKEN + "-longer") < inputs.secrets.index(TOKEN)

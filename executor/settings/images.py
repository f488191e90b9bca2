"""Keys of the `[docker]` table about images, users and credentials: pure."""

from executor.settings import checks
from executor.settings.keys import STRING_OR_LIST, Section, key

FAIL, USE_OWN_IMAGES, USE_ALL_IMAGES = "fail", "use-own-images", "use-all-images"
"""The values of `when_registry_is_down`."""


class ImageSettings(Section):
    """Which images jobs may use, and how they are pulled."""

    image: str = key(
        "Image of jobs that do not name one. Job variables in it are expanded. Empty: a job"
        " without an image fails.",
        default="",
        check=checks.wrong_image,
    )
    helper_image: str = key(
        "Image of the helper container. It must have git, git-lfs, and `gitlab-runner` on"
        " its PATH in the runner's own version. Job variables in it are expanded. Empty:"
        " gitlab-runner's own helper image for its version and the engine's architecture.",
        default="",
        check=checks.wrong_image,
    )
    helper_image_flavor: str = key(
        "Flavor of gitlab-runner's own helper image, such as `ubuntu` or `alpine3.21`, if"
        " `helper_image` is empty. Job variables in it are expanded. Empty: `alpine`.",
        default="",
    )
    pull_policy: tuple[str, ...] = key(
        "How the engine gets images: `always` asks the registry for every job,"
        " `if-not-present` asks only for images that the engine does not have, and `never`"
        " does not ask. The policies of a list are tried in order until one works. A job's"
        " own `pull_policy` takes precedence. With any policy but `always`, a job can use"
        " private images that another job's login brought to the host.",
        default=(),
        shape=STRING_OR_LIST,
        check=checks.wrong_pull_policy,
        otherwise='`"always"`',
    )
    allowed_pull_policies: tuple[str, ...] = key(
        "Pull policies that jobs may ask for. Others in a job's list are skipped.",
        default=(),
        check=checks.wrong_allowed_pull_policy,
        otherwise="the value of `pull_policy`",
    )
    when_registry_is_down: str = key(
        "What happens to a job if the registry of an image cannot be reached, or answers that it"
        " does not serve now (HTTP 5xx or 429), after all tries of the pull policy. `fail`: the"
        " job fails, as a system failure. `use-own-images`: the job uses the helper image and the"
        " `image` of `[dind]` that the host already has. `use-all-images`: also the images of jobs"
        " and services. Such an image may be out of date, and a job can then use private images"
        " that another job's login brought to the host. A registry that refuses (401, 403, 404)"
        " always fails the job.",
        default=FAIL,
        choices=(FAIL, USE_OWN_IMAGES, USE_ALL_IMAGES),
        ours=True,
    )
    disable_entrypoint_overwrite: bool = key(
        "Do not let jobs replace the entrypoint of their image or services. A job's"
        " `entrypoint` is ignored, and the job log says so.",
        default=False,
    )
    user: str = key(
        "User that the scripts of all jobs run as, whatever the job or its image says."
        " Empty: the job's user, or else the image's.",
        default="",
    )
    allowed_users: tuple[str, ...] = key(
        "Users that a job may name in `image:docker:user`. Empty: any user, or only `user`"
        " if that is set.",
        default=(),
    )
    allowed_images: tuple[str, ...] = key(
        "Patterns for the images that jobs may use. A pattern must match the whole name as"
        " the job writes it: `*` stays within a path component, and `**` as a component"
        " stands for any number of them. A pattern that starts with `!` excludes what it"
        " matches, even if another pattern admits it and however the job spells the image."
        " Without an admitting pattern, every image that is not excluded is allowed.",
        default=(),
        check=checks.wrong_pattern,
    )
    share_host_credentials: bool = key(
        "Log the jobs' Docker clients in with the docker configuration of the runner's user"
        " too. Anyone who can write a job can then read those credentials. false: they are"
        " used only for the runner's own pulls.",
        default=True,
        ours=True,
    )

"""Keys of the `[docker]` table about images, users and credentials: pure."""

from executor.settings import checks
from executor.settings.keys import STRING_OR_LIST, Section, key


class ImageSettings(Section):
    """Which images jobs may use, and how they are pulled."""

    image: str = key(
        "Image of jobs that name none; job variables in it are expanded. Empty: a job without"
        " an image fails.",
        default="",
        check=checks.wrong_image,
    )
    helper_image: str = key(
        "Image of the helper container: git, git-lfs, and `gitlab-runner` on its PATH in the"
        " runner's own version; job variables in it are expanded. Empty: gitlab-runner's own"
        " helper image for its version and the engine's architecture.",
        default="",
        check=checks.wrong_image,
    )
    helper_image_flavor: str = key(
        "Flavor of gitlab-runner's own helper image, such as `ubuntu` or `alpine3.21`, where"
        " `helper_image` is empty; job variables in it are expanded. Empty: `alpine`.",
        default="",
    )
    pull_policy: tuple[str, ...] = key(
        "How images come to the engine: `always` asks the registry for every job,"
        " `if-not-present` only for what the engine has not, `never` not at all. Of a list,"
        " each is tried until one works. A job's own `pull_policy` goes before it. Anything but"
        " `always` lets a job use private images that another job's login brought to the"
        " host.",
        default=(),
        shape=STRING_OR_LIST,
        check=checks.wrong_pull_policy,
        otherwise='`"always"`',
    )
    allowed_pull_policies: tuple[str, ...] = key(
        "Pull policies that jobs may ask for; of a job's list, only these are tried.",
        default=(),
        check=checks.wrong_allowed_pull_policy,
        otherwise="what `pull_policy` says",
    )
    disable_entrypoint_overwrite: bool = key(
        "Let no job replace the entrypoint of its image or of its services: `entrypoint` is"
        " left out, and the job log says so.",
        default=False,
    )
    user: str = key(
        "User that the scripts of all jobs run as, whatever the job or its image says. Empty:"
        " the job's, else the image's.",
        default="",
    )
    allowed_users: tuple[str, ...] = key(
        "Users that a job may name in `image:docker:user`. Empty: any, or only `user` where"
        " that is set.",
        default=(),
    )
    allowed_images: tuple[str, ...] = key(
        "Patterns for the images that jobs may use, matched against the whole name as the job"
        " writes it: `*` stays within a path component, `**` as a component crosses them. A"
        " pattern that starts with `!` excludes what it matches, whatever else admits it and"
        " however the job spells the image. Without an admitting pattern, all images that are"
        " not excluded are allowed.",
        default=(),
        check=checks.wrong_pattern,
    )
    share_host_credentials: bool = key(
        "Log the jobs' Docker clients in with the docker configuration of the runner's user"
        " as well. Whoever writes a job can then read those credentials. false: they serve"
        " the runner's own pulls only.",
        default=True,
        ours=True,
    )

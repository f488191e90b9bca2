"""Keys of the `[docker]` table about images, users and credentials: pure."""

from dataclasses import dataclass, field

from executor import checks
from executor.engine_settings import EngineSettings
from executor.keys import about


@dataclass(frozen=True, slots=True)
class ImageSettings(EngineSettings):
    """Which images jobs may use, and how they are pulled."""

    image: str = field(
        default="",
        metadata=about(
            "Image of jobs that name none; job variables in it are expanded. Empty: a job without"
            " an image fails.",
            same_as="image",
            check=checks.wrong_image,
        ),
    )
    helper_image: str = field(
        default="",
        metadata=about(
            "Image of the helper container: git, git-lfs, and `gitlab-runner` on its PATH in the"
            " runner's own version; job variables in it are expanded. Empty: gitlab-runner's own"
            " helper image for its version and the engine's architecture.",
            same_as="helper_image",
            check=checks.wrong_image,
        ),
    )
    allowed_images: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the images that jobs may use, matched against the whole name as the job"
            " writes it: `*` stays within a path component, `**` as a component crosses them. A"
            " pattern that starts with `!` excludes what it matches, whatever else admits it and"
            " however the job spells the image. Without an admitting pattern, all images that are"
            " not excluded are allowed.",
            same_as="allowed_images",
            check=checks.wrong_pattern,
        ),
    )
    share_host_credentials: bool = field(
        default=True,
        metadata=about(
            "Log the jobs' Docker clients in with the docker configuration of the runner's user"
            " as well. Whoever writes a job can then read those credentials. false: they serve"
            " the runner's own pulls only."
        ),
    )

"""The `[dind]` table of the settings: pure."""

from executor.notation import hosts
from executor.notation.paths import wrong_path
from executor.settings import checks
from executor.settings.budgets import wrong_budget
from executor.settings.keys import Section, group, key
from executor.settings.limits import MOST_PIDS, Limits


class DindSettings(Section):
    """The Docker-in-Docker sidecar of each job: what it runs and may use, and how jobs reach it."""

    mode: str = key(
        "Which jobs get a sidecar: `always` means all jobs, `service` means jobs that list"
        " a dind service.",
        default="always",
        choices=("always", "service"),
    )
    image: str = key(
        "Image of the sidecar, unless the job's own dind service replaces it.",
        default="docker:29-dind",
        check=checks.wrong_fixed_image,
    )
    allowed_images: tuple[str, ...] = key(
        "Patterns for the images that a job's own dind service may have, as in"
        " `allowed_images` of `[docker]`. If the job's image is not admitted, the sidecar"
        " runs `image` instead: the sidecar may be privileged, and anyone who chooses a"
        " privileged image controls the host. The default admits a name from any registry:"
        " if you do not trust the job authors, name your registries. An empty list admits"
        " any image.",
        default=("docker:*dind*", "**/docker:*dind*"),
        check=checks.wrong_pattern,
    )
    runtime: str = key(
        "OCI runtime of the sidecar, such as `sysbox-runc`, which needs no privileges."
        " Empty: the engine's default.",
        default="",
        check=checks.wrong_runtime,
    )
    privileged: bool = key(
        "Run the sidecar privileged, whatever `privileged` of `[docker]` says.",
        default=True,
        otherwise="true if `runtime` is empty, else false",
    )
    allow_plain_tcp: bool = key(
        'Let a job that sets `DOCKER_TLS_CERTDIR: ""` reach its sidecar without TLS, on'
        " port 2375 of the job's own network.",
        default=True,
    )
    socket: bool = key(
        "Give the build container the sidecar's unix socket, on a volume that both mount. Jobs"
        " that say nothing of Docker's transport use it, so that their own contexts and builders"
        " count. A socket does not lead from one kernel to another: set this to false if a"
        " runtime gives one of the two containers a kernel of its own. Then such jobs get"
        " `DOCKER_HOST` and the variables of TLS.",
        default=True,
        otherwise="false if the `runtime` of `[dind]` or of `[docker]` is Kata Containers, gVisor,"
        " Firecracker or libkrun by its name, else true",
    )
    wait_until: str = key(
        "What the sidecar of a job must do before the first script begins. `listens`: have its"
        " sockets; a script that uses Docker waits for the daemon by itself, as Docker's clients"
        " do, and any other script does not wait. `answers`: answer; for clients that wait less"
        " than 5 seconds, and for jobs that must not begin without their daemon.",
        default="listens",
        choices=("listens", "answers"),
    )
    ready_timeout: int = key(
        "How long the sidecar may take to answer after its start, before the job fails.",
        default=60,
        unit="seconds",
        minimum=1,
        maximum=3600,
    )
    volumes: tuple[str, ...] = key(
        "Mounts of the sidecar, as `source:destination` or `source:destination:ro`. The"
        " source is an absolute path on the engine's host or the name of a volume, and all"
        " jobs share it. The destination must not cover /certs, /var/lib/docker,"
        " `builds_dir` or `cache_dir`.",
        default=(),
        check=checks.wrong_bind,
    )
    command: tuple[str, ...] = key(
        'Extra arguments of dockerd, such as `"--max-concurrent-downloads=6"`. The'
        " arguments of a job's own dind service come after them.",
        default=(),
        check=checks.wrong_argument,
    )
    inherit_registries: bool = key(
        "If `registry_mirrors` or `insecure_registries` is empty, give dind those of the"
        " engine's own configuration, except those on the host's loopback, which dind cannot"
        " reach.",
        default=True,
    )
    registry_mirrors: tuple[str, ...] = key(
        "URLs of mirrors that dind asks first for images of Docker Hub. Empty: see"
        " `inherit_registries`.",
        default=(),
        check=hosts.wrong_mirror,
    )
    insecure_registries: tuple[str, ...] = key(
        "Registries, as `host:port` or as a network in CIDR form, that dind reaches over"
        " plain HTTP, or over HTTPS without verifying the certificate. Empty: see"
        " `inherit_registries`.",
        default=(),
        check=hosts.wrong_insecure_registry,
    )
    certificate_key: str = key(
        "Keys of the certificates that dind-executor makes for each job: `ec`, elliptic curves,"
        " or `rsa`, for clients that read no other keys. `rsa` costs up to some tenths of a"
        " second of CPU time a job.",
        default="ec",
        choices=("ec", "rsa"),
    )
    proxies_in_builds: bool = key(
        "Hand the job's proxies on to what it builds and runs in dind: the configuration of its"
        " Docker client names them, and the client sets them for each `docker build` and"
        " `docker run`. False: a job hands them on itself, for example with `--build-arg`.",
        default=False,
    )
    authorities_in_builds: str = key(
        "File on the runner host with certificates of private authorities, in PEM form. dind"
        " trusts them, and so does what jobs build and run in it, in addition to what an image"
        " trusts. Empty: an image trusts only what it brings along.",
        default="",
        check=wrong_path,
    )
    keep_layers: bool = key(
        "Let the project's next job in the same slot find the build cache, and the layers of images that"
        " were pulled (see docs/layers.md). Whoever builds in a protected branch then reads what jobs"
        " of protected branches have built, and others what others have built.",
        default=False,
    )
    keep_layers_size: str = key(
        "How much the layers of one slot may take, such as `20g`. Half of it is for the build cache, of"
        " which BuildKit removes what is least recently used. Where all of it takes more,"
        " `dind-executor prune --yes` removes it.",
        default="20g",
        check=wrong_budget,
    )
    keep_layers_budget: str = key(
        "How much the layers of all slots may take together, such as `100g`. `dind-executor prune --yes`"
        " removes the least recently used until the rest fits. Empty: any amount.",
        default="",
        check=wrong_budget,
    )
    pids_limit: int = key(
        "How many processes and threads the sidecar may have at once, together with everything that"
        " is built and run in it. 0 or -1: no limit.",
        default=65536,
        minimum=-1,
        maximum=MOST_PIDS,
    )
    limits: Limits = group(
        factory=Limits,
        who="the sidecar with everything that is built and run in it",
        unset="`service_{name}` of `[docker]`",
    )
    ulimit: dict[str, str] = key(
        "Limits of the processes in the sidecar, as in `ulimit` of `[docker]`.",
        default={},
        check=checks.wrong_ulimit,
        check_name=checks.wrong_ulimit_name,
    )
    sysctls: dict[str, str] = key(
        "Kernel parameters of the sidecar, as in `sysctls` of `[docker]`.",
        default={},
        check_name=checks.wrong_sysctl,
    )

"""Keys of the `[docker]` table that shape a job's containers: pure."""

from executor.settings import checks
from executor.settings.keys import Section, key
from executor.settings.limits import MOST_PIDS


class ContainerSettings(Section):
    """What a job's containers are, and what they may do on the host."""

    hostname: str = key(
        "Host name of the build and helper container. Empty: the name that gitlab-runner"
        " makes of runner, project and slot.",
        default="",
        check=checks.wrong_hostname,
    )
    runtime: str = key(
        "OCI runtime of the build, helper and service containers. For the sidecar, set"
        " `runtime` of `[dind]`. Empty: the engine's default.",
        default="",
        check=checks.wrong_runtime,
    )
    privileged: bool = key(
        "Run the build container privileged, and the services too unless"
        " `services_privileged` says otherwise. The helper container is never privileged,"
        " and `privileged` of `[dind]` decides for the sidecar. Jobs that only talk to"
        " Docker do not need this. Anyone who can write a job with a privileged build"
        " container controls the host.",
        default=False,
    )
    allowed_privileged_images: tuple[str, ...] = key(
        "Patterns for the images whose build containers may be privileged, as in"
        " `allowed_images`. With any other image the build container has no privileges."
        " Empty: all images.",
        default=(),
        check=checks.wrong_pattern,
    )
    group_add: tuple[str, ...] = key(
        "Additional groups of the users in the build and helper container, by name or number.",
        default=(),
        check=checks.wrong_group,
    )
    userns_mode: str = key(
        "User namespace of every container of a job, including the sidecar. `host` turns"
        " off user-namespace remapping for them: privileged containers need that on an"
        " engine with `userns-remap`.",
        default="",
        choices=("", "host"),
    )
    cap_add: tuple[str, ...] = key(
        "Capabilities that the build and helper container have in addition to the engine's"
        " default ones, such as `NET_ADMIN`, or `ALL`.",
        default=(),
        check=checks.wrong_capability,
    )
    cap_drop: tuple[str, ...] = key(
        "Capabilities that the build and helper container do not have, or `ALL`. Without"
        " DAC_OVERRIDE, FOWNER and CHOWN, the helper cannot remove files that an image with"
        " another user left in the builds directory.",
        default=(),
        check=checks.wrong_capability,
    )
    security_opt: tuple[str, ...] = key(
        "Security options of the build and helper container, such as `no-new-privileges` or"
        " `seccomp=/etc/profile.json`. A seccomp profile is a file on the runner host.",
        default=(),
        check=checks.wrong_security_option,
    )
    devices: tuple[str, ...] = key(
        "Devices of the host in the build and helper container: `/dev/kvm`, or"
        " `host:container:permissions`.",
        default=(),
        check=checks.wrong_device,
    )
    device_cgroup_rules: tuple[str, ...] = key(
        "Devices that the build and helper container may create themselves, such as `c"
        " 10:232 rwm`.",
        default=(),
        check=checks.wrong_device_rule,
    )
    gpus: str = key(
        "GPUs of the build and helper container, written as for `docker run --gpus`: `all`,"
        " `2`, `device=0`. Empty: no GPU.",
        default="",
        check=checks.wrong_gpus,
    )
    cpuset_mems: str = key(
        "Memory nodes that the build and helper container may use, such as `0-1`, on a host"
        " with several nodes. Empty: all.",
        default="",
        check=checks.wrong_cpuset,
    )
    pids_limit: int = key(
        "How many processes and threads the build container may have at once, and the helper"
        " container, so that a script that starts processes without end does not take the host's"
        " last one. 0 or -1: no limit.",
        default=16384,
        ours=True,
        minimum=-1,
        maximum=MOST_PIDS,
    )
    oom_kill_disable: bool = key(
        "When the build or helper container reaches `memory`, let its processes wait"
        " instead of killing one of them. An engine on cgroup v2 cannot do that and prints a"
        " warning.",
        default=False,
    )
    oom_score_adjust: int = key(
        "How readily the kernel kills processes of the build and helper container when the"
        " host is out of memory. A higher number means sooner.",
        default=0,
        minimum=-1000,
        maximum=1000,
    )
    shm_size: int = key(
        "Size of /dev/shm in every container of a job. 0: the engine's default, 64 MiB.",
        default=0,
        unit="bytes",
        minimum=0,
    )
    ulimit: dict[str, str] = key(
        "Limits of the processes in the build and helper container: a name such as"
        " `nofile`, and `soft` or `soft:hard`. `-1` means unlimited. Empty: the engine's"
        " defaults.",
        default={},
        check=checks.wrong_ulimit,
        check_name=checks.wrong_ulimit_name,
    )
    tmpfs: dict[str, str] = key(
        "Paths where the build and helper container have a tmpfs, each with its mount"
        ' options: `"/tmp" = "rw,exec"`.',
        default={},
        check_name=checks.wrong_tmpfs,
    )
    sysctls: dict[str, str] = key(
        "Kernel parameters of the build and helper container, if the kernel keeps them for"
        ' each container: `"net.core.somaxconn" = "1024"`.',
        default={},
        check_name=checks.wrong_sysctl,
    )
    volumes_from: tuple[str, ...] = key(
        "Containers on the engine whose volumes the build and helper container use too:"
        " `container` or `container:ro`. All jobs share these volumes.",
        default=(),
        check=checks.wrong_volumes_from,
    )
    pid_mode: str = key(
        "PID namespace of the build container: `host`, or `container:<name>`. Empty: its"
        " own namespace.",
        default="",
        check=checks.wrong_pid_mode,
    )
    ipcmode: str = key(
        "IPC namespace of the build and helper container: `none`, `private`, `shareable`,"
        " `host`, or `container:<name>`. Empty: the engine's default.",
        default="",
        check=checks.wrong_ipc_mode,
    )
    mac_address: str = key(
        "Hardware address of the build container on the job's network, for software whose"
        " licence is bound to one. Empty: the engine chooses one.",
        default="",
        check=checks.wrong_mac_address,
    )
    container_labels: dict[str, str] = key(
        "Labels of every container of a job. Job variables in the values are expanded. A"
        " value that contains a secret is left out.",
        default={},
        check_name=checks.wrong_label,
    )
    log_options: dict[str, str] = key(
        "Options of the log that the engine keeps for services and for the sidecar: `env`"
        " and `labels`, which name what is added to each line. The engine keeps no log of"
        " scripts: their output goes only to gitlab-runner.",
        default={},
        check_name=checks.wrong_log_option,
    )

"""Keys of the `[docker]` table that shape a job's containers: pure."""

from executor.settings import checks
from executor.settings.keys import Section, key


class ContainerSettings(Section):
    """What a job's containers are, and what they may do on the host."""

    hostname: str = key(
        "Host name of the build and helper container. Empty: gitlab-runner's own, of"
        " runner, project and slot.",
        default="",
        check=checks.wrong_hostname,
    )
    runtime: str = key(
        "OCI runtime of the build, helper and service containers. The sidecar has"
        " `runtime` of `[dind]`. Empty: the engine's default.",
        default="",
        check=checks.wrong_runtime,
    )
    privileged: bool = key(
        "Run the build container privileged, and services too unless"
        " `services_privileged` says otherwise. Not the helper container, which needs no"
        " privileges, nor the sidecar, which goes by `privileged` of `[dind]`. Jobs that"
        " only talk to Docker do not need it; whoever writes a job of a privileged build"
        " container has the host.",
        default=False,
    )
    allowed_privileged_images: tuple[str, ...] = key(
        "Patterns for the images whose build containers are privileged where `privileged`"
        " says so, as in `allowed_images`; others run without privileges. Empty: all.",
        default=(),
        check=checks.wrong_pattern,
    )
    group_add: tuple[str, ...] = key(
        "Further groups of the users in the build and helper container, by name or number.",
        default=(),
        check=checks.wrong_group,
    )
    userns_mode: str = key(
        "User namespace of every container of a job, the sidecar included. `host`: the"
        " engine's own, where the engine maps users otherwise; a privileged container"
        " needs that there.",
        default="",
        choices=("", "host"),
    )
    cap_add: tuple[str, ...] = key(
        "Capabilities that the build and helper container have beyond the engine's"
        " default ones, such as `NET_ADMIN`, or `ALL`.",
        default=(),
        check=checks.wrong_capability,
    )
    cap_drop: tuple[str, ...] = key(
        "Capabilities that the build and helper container do not have, or `ALL`. Without"
        " DAC_OVERRIDE, FOWNER and CHOWN the helper cannot remove what an image of another"
        " user left in the builds directory.",
        default=(),
        check=checks.wrong_capability,
    )
    security_opt: tuple[str, ...] = key(
        "Security options of the build and helper container, such as `no-new-privileges`"
        " or `seccomp=/etc/profile.json`; a seccomp profile is a file on the runner host.",
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
        "Devices that the build and helper container may make themselves, such as `c 10:232 rwm`.",
        default=(),
        check=checks.wrong_device_rule,
    )
    gpus: str = key(
        "GPUs of the build and helper container, written as for `docker run --gpus`:"
        " `all`, `2`, `device=0`. Empty: none.",
        default="",
        check=checks.wrong_gpus,
    )
    cpuset_mems: str = key(
        "Memory nodes that the build and helper container may use, such as `0-1`, on a"
        " host that has several. Empty: all.",
        default="",
        check=checks.wrong_cpuset,
    )
    oom_kill_disable: bool = key(
        "Let processes of the build and helper container wait instead of killing one"
        " where they reach `memory`. Engines on cgroup v2 cannot do that and say so in a"
        " warning of their own.",
        default=False,
    )
    oom_score_adjust: int = key(
        "How readily the kernel kills processes of the build and helper container where"
        " the host is out of memory.",
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
        " `nofile`, and `soft` or `soft:hard`; `-1` is unlimited. Empty: the engine's"
        " defaults.",
        default={},
        check=checks.wrong_ulimit,
        check_name=checks.wrong_ulimit_name,
    )
    tmpfs: dict[str, str] = key(
        "Where the build and helper container have a tmpfs, and with which mount options:"
        ' `"/tmp" = "rw,exec"`.',
        default={},
        check_name=checks.wrong_tmpfs,
    )
    sysctls: dict[str, str] = key(
        "Kernel parameters of the build and helper container, as far as the kernel keeps"
        ' them for each container: `"net.core.somaxconn" = "1024"`.',
        default={},
        check_name=checks.wrong_sysctl,
    )
    volumes_from: tuple[str, ...] = key(
        "Containers on the engine whose volumes the build and helper container use too:"
        " `container` or `container:ro`. All jobs share them.",
        default=(),
        check=checks.wrong_volumes_from,
    )
    pid_mode: str = key(
        "PID namespace of the build container: `host`, or `container:<name>`. Empty: one"
        " of its own.",
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
        "Hardware address of the build container on the job's network, for software with"
        " a licence that is bound to one. Empty: the engine makes one up.",
        default="",
        check=checks.wrong_mac_address,
    )
    container_labels: dict[str, str] = key(
        "Labels of every container of a job; job variables in the values are expanded. A"
        " value that holds a secret is left out.",
        default={},
        check_name=checks.wrong_label,
    )
    log_options: dict[str, str] = key(
        "Options of the log that the engine keeps of services and of the sidecar: `env`"
        " and `labels`, which name what goes into each line. Of scripts it keeps no log:"
        " their output goes to gitlab-runner alone.",
        default={},
        check_name=checks.wrong_log_option,
    )

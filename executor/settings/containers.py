"""Keys of the `[docker]` table that shape a job's containers: pure."""

from dataclasses import dataclass, field

from executor.settings import container_checks as checks
from executor.settings.checks import wrong_pattern, wrong_runtime
from executor.settings.keys import about
from executor.settings.service_limits import ServiceLimitSettings


@dataclass(frozen=True, slots=True)
class ContainerSettings(ServiceLimitSettings):
    """What a job's containers are, and what they may do on the host."""

    hostname: str = field(
        default="",
        metadata=about(
            "Host name of the build and helper container. Empty: gitlab-runner's own, of"
            " runner, project and slot.",
            same_as="hostname",
            check=checks.wrong_hostname,
        ),
    )
    runtime: str = field(
        default="",
        metadata=about(
            "OCI runtime of the build, helper and service containers. The sidecar has"
            " `runtime` of `[dind]`. Empty: the engine's default.",
            same_as="runtime",
            check=wrong_runtime,
        ),
    )
    privileged: bool = field(
        default=False,
        metadata=about(
            "Run the build container privileged, and services too unless"
            " `services_privileged` says otherwise. Not the helper container, which needs no"
            " privileges, nor the sidecar, which goes by `privileged` of `[dind]`. Jobs that"
            " only talk to Docker do not need it; whoever writes a job of a privileged build"
            " container has the host.",
            same_as="privileged",
        ),
    )
    allowed_privileged_images: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Patterns for the images whose build containers are privileged where `privileged`"
            " says so, as in `allowed_images`; others run without privileges. Empty: all.",
            same_as="allowed_privileged_images",
            check=wrong_pattern,
        ),
    )
    group_add: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Further groups of the users in the build and helper container, by name or number.",
            same_as="group_add",
            check=checks.wrong_group,
        ),
    )
    userns_mode: str = field(
        default="",
        metadata=about(
            "User namespace of every container of a job, the sidecar included. `host`: the"
            " engine's own, where the engine maps users otherwise; a privileged container"
            " needs that there.",
            same_as="userns_mode",
            choices=("", "host"),
        ),
    )
    cap_add: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Capabilities that the build and helper container have beyond the engine's"
            " default ones, such as `NET_ADMIN`, or `ALL`.",
            same_as="cap_add",
            check=checks.wrong_capability,
        ),
    )
    cap_drop: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Capabilities that the build and helper container do not have, or `ALL`. Without"
            " DAC_OVERRIDE, FOWNER and CHOWN the helper cannot remove what an image of another"
            " user left in the builds directory.",
            same_as="cap_drop",
            check=checks.wrong_capability,
        ),
    )
    security_opt: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Security options of the build and helper container, such as `no-new-privileges`"
            " or `seccomp=/etc/profile.json`; a seccomp profile is a file on the runner host.",
            same_as="security_opt",
            check=checks.wrong_security_option,
        ),
    )
    devices: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Devices of the host in the build and helper container: `/dev/kvm`, or"
            " `host:container:permissions`.",
            same_as="devices",
            check=checks.wrong_device,
        ),
    )
    device_cgroup_rules: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Devices that the build and helper container may make themselves, such as `c"
            " 10:232 rwm`.",
            same_as="device_cgroup_rules",
            check=checks.wrong_device_rule,
        ),
    )
    gpus: str = field(
        default="",
        metadata=about(
            "GPUs of the build and helper container, written as for `docker run --gpus`:"
            " `all`, `2`, `device=0`. Empty: none.",
            same_as="gpus",
            check=checks.wrong_gpus,
        ),
    )
    tmpfs: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Where the build and helper container have a tmpfs, and with which mount options:"
            ' `"/tmp" = "rw,exec"`.',
            same_as="tmpfs",
            check_name=checks.wrong_tmpfs,
        ),
    )
    sysctls: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Kernel parameters of the build and helper container, as far as the kernel keeps"
            ' them for each container: `"net.core.somaxconn" = "1024"`.',
            same_as="sysctls",
            check_name=checks.wrong_sysctl,
        ),
    )
    volumes_from: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Containers on the engine whose volumes the build and helper container use too:"
            " `container` or `container:ro`. All jobs share them.",
            same_as="volumes_from",
            check=checks.wrong_volumes_from,
        ),
    )
    pid_mode: str = field(
        default="",
        metadata=about(
            "PID namespace of the build container: `host`, or `container:<name>`. Empty: one"
            " of its own.",
            same_as="pid_mode",
            check=checks.wrong_pid_mode,
        ),
    )
    ipcmode: str = field(
        default="",
        metadata=about(
            "IPC namespace of the build and helper container: `none`, `private`, `shareable`,"
            " `host`, or `container:<name>`. Empty: the engine's default.",
            same_as="ipcmode",
            check=checks.wrong_ipc_mode,
        ),
    )
    mac_address: str = field(
        default="",
        metadata=about(
            "Hardware address of the build container on the job's network, for software with"
            " a licence that is bound to one. Empty: the engine makes one up.",
            same_as="mac_address",
            check=checks.wrong_mac_address,
        ),
    )
    container_labels: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Labels of every container of a job; job variables in the values are expanded. A"
            " value that holds a secret is left out.",
            same_as="container_labels",
            check_name=checks.wrong_label,
        ),
    )
    log_options: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            "Options of the log that the engine keeps of services and of the sidecar: `env`"
            " and `labels`, which name what goes into each line. Of scripts it keeps no log:"
            " their output goes to gitlab-runner alone.",
            same_as="log_options",
            check_name=checks.wrong_log_option,
        ),
    )

"""What will exist for a job, as plain data: the meeting point of plan and engine.

It can be printed, compared and kept as a golden file; `repr` leaves out what may hold a secret.
"""

from executor.dataclass import dataclass, field

ALWAYS, IF_NOT_PRESENT, NEVER = "always", "if-not-present", "never"
"""The pull policies, named as GitLab names them."""

HostConfig = dict[str, object]
"""What a container may use of the host, in the words of the engine's `HostConfig`."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One image to get before anything is created from it."""

    image: str
    platform: str = ""
    policies: tuple[str, ...] = field(default=(ALWAYS,), compare=False)
    """The pull policies to try, in order; a job gets each image and platform by one list only."""
    chosen_by: str = field(default="", compare=False)
    """The setting that names the image, such as `[dind] image`; empty where the job does."""
    falls_back: bool = field(default=False, compare=False)
    """Whether the host's image will do where the registry cannot be reached."""
    instead_of: str = field(default="", compare=False)
    """The job's own dind image, which the settings do not admit, where this one replaces it."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the engine says of a pulled image."""

    id: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    """Variables as `KEY=value`."""
    user: str = ""
    digest: str = ""
    """The repository digest that the registry answered with, `name@sha256:…`; may be empty."""
    system: str = ""
    architecture: str = ""
    instead_of: str | None = field(default=None, compare=False)
    """What had its name before a pull brought it, "" where nothing had; None where it was there, or if unknown."""
    moved: int | None = field(default=None, compare=False)  # the bytes that a pull brought


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a job's network and the networks inside its sidecar have to fit in."""

    mtu: int = 0
    """What the host's way out carries, in bytes; 0 where that is 1500 or more, or unknown."""
    subnets: tuple[str, ...] = ()
    """Every network that a job may have to reach, in CIDR form: the job's own and the host's."""
    own_subnets: tuple[str, ...] = ()
    """Those of the job's network alone."""
    networks: tuple[str, ...] = ()
    """Every network of the engine, also those of other jobs, in CIDR form."""
    bridges: tuple[tuple[str, str], ...] = ()
    """The same of every engine on the host, each with its interface; empty where `in_reach` is not."""
    engine_pools: tuple[str, ...] = ()
    """Where the engine is told to take its networks from, in CIDR form; empty: Docker's own ranges."""
    mirrors: tuple[str, ...] = ()
    """The engine's registry mirrors that containers can reach."""
    insecure_registries: tuple[str, ...] = ()
    """Registries that the engine reaches without verified TLS, as `host:port` or in CIDR form."""
    authorities: tuple[tuple[str, bytes], ...] = ()
    """Registries, as `host:port`, and the certificates (PEM) that vouch for them."""
    separates_ipv6: bool = False
    """Whether the engine can keep networks apart over IPv6, as it does over IPv4."""
    engine_name: str = ""
    """What the host of the engine calls itself."""
    engine_kernel: str = ""
    gateways: tuple[str, ...] = ()
    """The addresses (IPv4) that the engine's host has on the engine's networks."""
    in_reach: bool = False
    """Whether this process is on the engine's host as to networks: it reaches each container."""
    kept_networks: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()
    """Those of slots: name, id, what each was made with, addresses (see `plan.kept_networks`)."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The job's network."""

    name: str
    labels: dict[str, str]
    mtu: int = 0
    ipv6_subnet: str = ""
    """Empty: the network has no IPv6 addresses."""
    subnet: str = ""
    """Its IPv4 addresses, in CIDR form; empty: the engine chooses them."""


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume; it is removed with the job if it carries the job's label."""

    name: str
    labels: dict[str, str]
    driver: str = ""
    options: dict[str, str] = field(default_factory=dict)
    early: bool = True
    """Whether it is there before all containers; else the first that mounts it makes it."""


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A text file that a container gets through its stdin: never on disk, in no `docker inspect`."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link that a container has before it starts."""

    path: str
    target: str
    unless: tuple[str, ...] = ()
    """Where something is mounted in the container that is not its own: no link is made there."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """Variables that a container gets where its image does not say otherwise."""

    silent: dict[str, str] = field(default_factory=dict)
    """Where the image has none of the keys `named`; a key that the image has is left out."""
    named: tuple[str, ...] = ()
    instead: dict[str, str] = field(default_factory=dict)
    """Where it has one of them; a key that the image has is left out here, too."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container of the job."""

    name: str
    image: str
    """One of the images that are pulled; the container is made from the id of what came."""
    labels: dict[str, str]
    network: str
    hostname: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    secret_environment: dict[str, str] = field(default_factory=dict, repr=False)
    """Variables that the container gets through its stdin, as `environment` shows to everyone."""
    dispensable: tuple[str, ...] = ()
    """Those of them that the job has for all, so that the container runs without where it must."""
    defaults: Defaults = Defaults()
    link: Link | None = None
    """For a user of the image who may not make it; root's program makes it itself."""
    elsewhere: bool = False
    """Whether what is ours lies outside of /run (see `shell.ELSEWHERE`)."""
    aliases: tuple[str, ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    """Volume name and destination."""
    binds: tuple[str, ...] = ()
    volume_driver: str = ""
    """The driver of volumes that `binds` names and that are not there yet."""
    tmpfs: dict[str, str] = field(default_factory=dict)
    files: tuple[FileSpec, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    user: str = ""
    platform: str = ""
    host: HostConfig = field(default_factory=dict)
    """What differs from the engine's defaults, besides what the other fields say."""
    mac_address: str = ""
    log_options: dict[str, str] = field(default_factory=dict)
    """Options of the engine's log of a container that runs no scripts."""
    runs_scripts: bool = False
    """Whether the container stands for scripts to be run in it (see `engine.keeper`)."""
    prelude: str = ""
    """Shell commands before its program, which stands in `"$@"`; not for one that runs scripts."""

    @property
    def privileged(self) -> bool:
        """Tell whether the container is privileged."""
        return bool(self.host.get("Privileged"))

    def runs_as_root(self, image: ImageFacts) -> bool:
        """Tell whether its program is root's, of this image."""
        return (self.user or image.user).partition(":")[0] in {"", "0", "root"}

    @property
    def receives(self) -> bool:
        """Tell whether something is sent to the container's stdin when it starts."""
        return bool(self.files or self.secret_environment or self.runs_scripts or self.prelude)


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """Which images a job needs, decided before any of them is there."""

    helper: str
    build: Pull
    services: tuple[Pull, ...]
    """One for each service of the job, in its order; the dind one may be the administrator's."""
    default_dind: Pull | None
    """The administrator's dind image where it may be needed."""
    runners_helper: str = ""
    """The helper image that gitlab-runner itself would take."""
    helper_archive: str = ""
    """How the name of an archive of it begins in gitlab-runner's packages."""
    helper_policies: tuple[str, ...] = (ALWAYS,)
    helper_falls_back: bool = False
    notices: tuple[str, ...] = ()

    @property
    def may_have_dind(self) -> bool:
        """Tell whether the job may get a sidecar: any of its services may turn out to be dind."""
        return bool(self.services or self.default_dind)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that prepare makes for one job."""

    network: NetworkSpec
    volumes: tuple[VolumeSpec, ...]
    helper: ContainerSpec
    build: ContainerSpec
    dind: ContainerSpec | None
    services: tuple[ContainerSpec, ...] = ()
    notices: tuple[str, ...] = ()
    has_caches: bool = False
    """Whether services wait for the helper, which opens the cache volumes to every user."""
    dind_is_optional: bool = False
    """Whether the job runs without its sidecar where that cannot be had: no service is listed for it."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files for the two ends; keys are left out of `repr`."""

    ca: bytes
    server: bytes
    server_key: bytes = field(repr=False)
    client: bytes
    client_key: bytes = field(repr=False)

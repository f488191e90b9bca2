"""A job's variables: which are secret, and what each container gets of them.

The scripts bring their own; the environments here are what entrypoints and services see.  Pure:
no I/O.
"""

from collections.abc import Mapping
from functools import cached_property

from executor.dataclass import dataclass
from executor.notation.docker_config import Credential
from executor.notation.expansion import expand
from executor.plan.secrets import referring_keys, secret_keys, secret_values
from executor.runner.payload import Job, JobImage, Variable

_RUNNER_FILES = ("CI_SERVER_TLS_CA_FILE", "CI_SERVER_TLS_CERT_FILE", "CI_SERVER_TLS_KEY_FILE")
"""Variables of gitlab-runner's own that are files."""

_NOT_FOR_SERVICES = ("CI_JOB_SERVICES", "DOCKER_AUTH_CONFIG")
_NOT_THE_JOBS = ("CI_JOB_SERVICES",)
"""What gitlab-runner tells custom executors alone."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""What the sidecar gets even where it is private: it pulls and pushes for the job."""
_CLIENTS = (
    "DOCKER_API_VERSION",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
)
"""What a job says to Docker's client; dockerd and its entrypoint read it too, and would break."""
_OF_USE = frozenset((*_PROXIES, "DOCKER_IPTABLES_LEGACY", "DOCKER_TLS_SAN"))
"""What of a job's own variables a sidecar gets that the job did not ask for.

Others, such as LD_PRELOAD, PATH or DOCKER_DRIVER, are meant for the job's programs or another job.
"""


@dataclass(frozen=True)
class Variables:
    """The variables of one job; what follows from them is worked out once."""

    job: Job
    values: Mapping[str, str]
    """The variables as gitlab-runner expanded them."""
    credentials: tuple[Credential, ...] = ()
    """The registry logins that the job may use: they are secrets too."""

    @cached_property
    def by_key(self) -> dict[str, Variable]:
        """Return the job's variables by their names; of two of one name the last has the value."""
        return {each.key: each for each in self.job.variables}

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not show, longest first."""
        return secret_values(self.job, self.values, self.credentials)

    def file_path(self, key: str) -> str:
        """Return where the scripts put a file-type variable."""
        return f"{self.values.get('RUNNER_TEMP_PROJECT_DIR', '')}/{key}"

    def value(self, key: str) -> str:
        """Return a variable as an image name or a service's variable sees it: a file as its path."""
        if key in _RUNNER_FILES or key in self.job.file_keys:
            return self.file_path(key) if key in self.values else ""
        return self.values.get(key, "")

    @cached_property
    def public(self) -> dict[str, str]:
        """Return the job's public variables; some may hold a secret's value, see `split`.

        Of two of one name, the last says whether it is public: it is the one that has the value.
        """
        return {
            key: self._in_container(each) for key, each in self.by_key.items() if not each.secret
        }

    def split(
        self, environment: Mapping[str, str], service: JobImage | None = None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what of an environment may stand in a container's configuration, and the rest.

        The configuration is readable by everyone who may talk to the engine, so a public value
        that contains a secret's, or refers to one, does not stand there either.  `service` is
        whose variables the environment has beside the job's.
        """
        # A job may have thousands of both: most secrets stand in no value at all.
        whole = "\n".join(environment.values())
        secrets = [secret for secret in self.secrets if secret in whole]
        referring = self._referring
        if service and service.variables:
            own = {each.key: each for each in service.variables}
            referring = (referring - own.keys()) | referring_keys(own.values(), self._secret_keys)
        shown: dict[str, str] = {}
        hidden: dict[str, str] = {}
        for key, value in environment.items():
            is_secret = key in referring or any(secret in value for secret in secrets)
            (hidden if is_secret else shown)[key] = value
        return shown, hidden

    @cached_property
    def _secret_keys(self) -> frozenset[str]:
        return secret_keys(self.job, self.values)

    @cached_property
    def _referring(self) -> frozenset[str]:
        """Return which of the job's variables refer to a secret one."""
        return referring_keys(self.by_key.values(), self._secret_keys)

    def for_service(self, service: JobImage) -> dict[str, str]:
        """Return what a service gets: public variables of runner and job, and its own."""
        return {
            **self.runners,
            **self.public,
            **self.services_own(service),
        }

    @cached_property
    def runners(self) -> dict[str, str]:
        """Return the variables that the payload does not have: gitlab-runner's and its administrator's.

        Those about gitlab-runner's own doing stay behind, and so do credentials.
        """
        return {
            key: self.file_path(key) if key in _RUNNER_FILES else value
            for key, value in self.values.items()
            if not (
                key in self.by_key
                or key in self.job.secret_keys
                or key in _NOT_FOR_SERVICES
                or key.startswith("FF_")
            )
        }

    def services_own(self, service: JobImage) -> dict[str, str]:
        """Return a service's own variables, expanded against its own and all of the job's."""
        own = {each.key: each.value for each in service.variables}

        def lookup(key: str) -> str:
            return own[key] if key in own else self.value(key)

        return {
            each.key: each.value if each.raw else expand(each.value, lookup)
            for each in service.variables
        }

    def _in_container(self, variable: Variable) -> str:
        if variable.file:
            return self.file_path(variable.key)
        return self.values.get(variable.key, variable.value)


def build_environment(
    variables: Variables, ours: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return all variables of the job, and `ours`: what may show to everyone, and the rest.

    The job's own win.

    The rest is what is masked or not public, and what gitlab-runner's administrator set, who may have
    put a password there.
    """
    public = variables.public
    shown, hidden = variables.split(public)
    for key in variables.values:
        variable = variables.by_key.get(key)
        if key not in _NOT_THE_JOBS and (variable.secret if variable else key not in public):
            hidden[key] = variables.value(key)
            shown.pop(key, None)
    return {**ours, **shown}, hidden


def dind_environment(
    given: Variables, own: JobImage | None, *, asked: bool = True
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the sidecar is told, as any service is, and what of it must not show.

    One that the job did not ask for gets of the job's variables only what is of use to it.  What must
    not show is also what does not come with the job: gitlab-runner's administrator may have put a password
    there, and dind has a shell to take it with.
    """
    public, variables = given.public, given.services_own(own) if own else {}
    if not asked:
        public = {key: public[key] for key in public if key in _OF_USE or key.startswith("CI_")}
    others = {
        **given.runners,
        **public,
        **{key: given.value(key) for key in _PROXIES if given.value(key)},
    }
    environment = {key: each for key, each in others.items() if key not in _CLIENTS} | variables
    environment.pop("DOCKER_TLS_CERTDIR", None)
    shown, hidden = given.split(environment, own)
    private = [key for key in shown if key not in public and key not in variables]
    return shown, hidden | {key: shown.pop(key) for key in private}

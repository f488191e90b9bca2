"""Gets a job's images by their pull policies, and says in the job log how."""

import _thread
import time
from collections.abc import Callable

from executor.budgets.records import Records
from executor.engine.docker import Engine
from executor.engine.failures import NAME_OR_LOGIN, NO_SUCH_IMAGE, advice
from executor.engine.images import is_for
from executor.errors import (
    ExecutorError,
    ImageUnavailable,
    PullInterrupted,
    RegistryDown,
    SettingsError,
)
from executor.log import AdministratorLog
from executor.notation.image_names import is_bare_id
from executor.plan.credentials import Catalogue, helper_advice, resolve
from executor.plan.images import HELPER_KEY
from executor.plan.pull_policies import go_list
from executor.plan.sidecar import no_replacement
from executor.record.words import reason_of
from executor.spec import IF_NOT_PRESENT, NEVER, ImageFacts, ImagePlan, Pull
from executor.tasks import Task

Say = Callable[[str], None]


class Pulls:
    """The images of one job; safe to use from many threads."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        log: AdministratorLog,
        say: Say,
        records: Records,
    ) -> None:
        """Keep what is needed; `catalogue` has the registry logins, `records` when images were used."""
        self._engine = engine
        self._catalogue = catalogue
        self._log = log
        self._say = say
        self._records = records
        self._locks: dict[str, _thread.LockType] = {}
        self._tasks: dict[Pull, Task[ImageFacts]] = {}
        self._instead_of: dict[Pull, str] = {}

    def begin(self, images: ImagePlan) -> None:
        """Begin to get every image that is known to be needed."""
        for pull in (images.build, *images.services):
            self.task(pull)
        if images.default_dind:
            self.task(images.default_dind)
        # After the others: an image that is also the job's is pulled whether it is there or not.
        helper = Pull(
            images.helper,
            policies=images.helper_policies,
            chosen_by=HELPER_KEY,
            falls_back=images.helper_falls_back,
        )
        if helper not in self._tasks:
            self._tasks[helper] = Task(lambda: self.helper(helper, images))

    def task(self, pull: Pull) -> Task[ImageFacts]:
        """Begin to get an image, unless that has begun; return what waits for it."""
        if pull.instead_of:
            self._instead_of[pull] = pull.instead_of
        if pull not in self._tasks:
            self._tasks[pull] = Task(lambda: self.fetch(pull))
        return self._tasks[pull]

    def facts(self, pull: Pull) -> ImageFacts:
        """Wait for an image, and return what the engine says of it.

        Raises as `fetch`, and PolicyViolation where it stands for one that is not admitted: the job
        asks for what it may not have, and another try changes nothing about that.
        """
        try:
            return self.task(pull).result()
        except (ImageUnavailable, PullInterrupted, SettingsError) as error:
            if pull not in self._instead_of:
                raise
            raise no_replacement(self._instead_of[pull], error) from None

    def chosen_by(self, wanted: Pull) -> str:
        """Return the setting that names an image; empty where the job does."""
        return next(pull.chosen_by for pull in self._tasks if pull == wanted)

    def fetch(self, pull: Pull) -> ImageFacts:
        """Return an image, by the first of its policies that works.

        An image that cannot be had raises ImageUnavailable where the job names it, SettingsError
        where the settings do.
        """
        # Two platforms of one image have one name on the engine: what came is looked at before
        # the other comes.
        with self._locks.setdefault(pull.image, _thread.allocate_lock()):
            try:
                return self._fetch(pull)
            except ImageUnavailable as error:
                if not pull.chosen_by:
                    raise
                raise SettingsError(
                    f"`{pull.chosen_by}` of the runner's settings: {error}"
                ) from None

    def helper(self, pull: Pull, images: ImagePlan) -> ImageFacts:
        """Return the helper image.

        gitlab-runner's own is not pulled where the engine has it, or an archive of the runner's,
        whatever the policy.
        """
        runners = images.runners_helper
        if pull.image != runners:
            self._say(
                f"Using helper image:  {pull.image}  (overridden, default would be  {runners} )"
            )
            return self.fetch(pull)
        facts = self._engine.image(pull.image)
        if facts:
            self._records.image_used(facts.id)
            return facts
        from executor.stages.prepare.archives import load_helper  # noqa: PLC0415 (rarely needed)

        loaded = load_helper(self._engine, pull.image, images.helper_archive, self._log, self._say)
        if loaded:
            return loaded
        self._say(f"Using helper image:  {pull.image}")
        return self.fetch(pull)

    def _fetch(self, pull: Pull) -> ImageFacts:
        self._say(
            f"Using effective pull policy of {go_list(pull.policies)} for container {pull.image}"
        )
        for number, policy in enumerate(pull.policies, 1):
            if number > 1:
                self._say(f'Attempt #{number}: Trying "{policy}" pull policy for "{pull.image}"')
            try:
                facts = self._by(policy, pull)
            except (ImageUnavailable, PullInterrupted) as error:
                if number == len(pull.policies):
                    kept = self._of_host(pull, error)
                    if kept:
                        return kept
                    raise self._exhausted(pull, error) from None
                self._say(
                    f'WARNING: Failed to pull image with policy "{policy}": {pull.image}: {error}'
                )
                continue
            self._say_used(pull, facts)
            return facts
        raise AssertionError("unreachable")

    def _by(self, policy: str, pull: Pull) -> ImageFacts:
        named_by_id = is_bare_id(pull.image)
        if policy in (NEVER, IF_NOT_PRESENT) or named_by_id:
            facts = self._engine.image(pull.image)
            if facts and is_for(facts, pull.platform):
                if policy == IF_NOT_PRESENT and not named_by_id:
                    self._say(
                        f'Using locally found image version due to "{policy}" pull policy'
                        f' for "{pull.image}"'
                    )
                return facts
            if policy == NEVER or named_by_id:
                platform = f" for platform {pull.platform}" if pull.platform else ""
                raise ImageUnavailable(f"{NO_SUCH_IMAGE}{platform}: {pull.image}")
        return self._pull(pull, policy)

    def _pull(self, pull: Pull, policy: str) -> ImageFacts:
        found = resolve(pull.image, self._catalogue)
        if found:
            self._say(str(found))
        platform = f" for platform {pull.platform}" if pull.platform else ""
        self._say(f"Pulling docker image {pull.image}{platform} ...")
        started = time.monotonic()
        auth = found.credential.registry_auth_header() if found else ""
        said: dict[str, object] = {"image": pull.image, "policy": policy}
        try:
            facts = self._engine.pull(pull, auth, self._say)
        except ExecutorError as error:
            self._log.done("image not pulled", started, **said, why=reason_of(error))
            raise
        if facts.moved is not None:
            said["bytes"] = facts.moved
        self._log.done("image pulled", started, **said, digest=facts.digest or facts.id)
        return facts

    def _of_host(self, pull: Pull, error: ExecutorError) -> ImageFacts | None:
        """Return the host's image where it will do and the registry is down."""
        if not (pull.falls_back and isinstance(error, RegistryDown)):
            return None
        facts = self._engine.image(pull.image)
        if not facts or not is_for(facts, pull.platform or self._engine.architecture):
            return None
        self._say(
            f'WARNING: The registry of "{pull.image}" does not serve: {error}. The job uses the'
            " image that this host already has, which may be out of date"
            " (`[docker] when_registry_is_down`)."
        )
        self._log.event("image of the host used", image=pull.image, error=str(error))
        self._say_used(pull, facts)
        return facts

    def _say_used(self, pull: Pull, facts: ImageFacts) -> None:
        if facts.instead_of is not None:
            self._records.image_came(facts.id, pull.image, pull.chosen_by, facts.instead_of)
        self._records.image_used(facts.id)
        if is_bare_id(pull.image):
            return
        digest = f" with digest {facts.digest}" if facts.digest else ""
        self._say(f"Using docker image {facts.id} for {pull.image}{digest} ...")

    def _exhausted(self, pull: Pull, error: ExecutorError) -> ExecutorError:
        remedy = advice(error)
        if remedy == NAME_OR_LOGIN:
            remedy = f"{remedy} {helper_advice(pull.image, self._catalogue)}"
        text = (
            f'failed to pull image "{pull.image}" with specified policies'
            f" {go_list(pull.policies)}: {error}. {remedy}"
        )
        return type(error)(text.rstrip())

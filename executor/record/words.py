"""The words of a stage's record: closed lists, so that no text of anybody's gets into one.

A reader knows every word below, and takes one that it does not know for one of a later version.
"""

VERSION = 1
"""Of the format.  A later one may add keys and words without a new number; it never changes any."""

STEPS = frozenset(
    (
        "prepare_script",
        "get_sources",
        "clear_worktree",
        "restore_cache",
        "download_artifacts",
        "build_script",
        "step_script",
        "step_release",
        "after_script",
        "archive_cache",
        "archive_cache_on_failure",
        "upload_artifacts_on_success",
        "upload_artifacts_on_failure",
        "cleanup_file_variables",
    )
)
"""The sub-stages of gitlab-runner; another one is `OTHER`."""

OTHER = "other"

SUCCESS, SCRIPT_FAILURE, CANCELLED, ERROR = "success", "script_failure", "cancelled", "error"

RESULTS = frozenset(("success", "failed", "canceled", "timedout"))
"""How a job ended, in gitlab-runner's words (CI_JOB_STATUS)."""

REASONS = {
    "ScriptFailed": "script",
    "PolicyViolation": "policy",
    "ImageUnavailable": "image",
    "UnusableImage": "unusable_image",
    "ServiceConflict": "services",
    "UnsupportedJobOption": "option",
    "DiskOverrun": "disk_filled",
    "SettingsError": "settings",
    "JobPayloadError": "payload",
    "EngineUnavailable": "engine_away",
    "EngineRefused": "engine_refused",
    "PullInterrupted": "pull_interrupted",
    "RegistryDown": "registry_down",
    "ResourceExhausted": "resources",
    "ServiceNotReady": "dind",
    "EnvironmentLost": "lost",
    "Cancelled": "cancelled",
    "ExecutorError": OTHER,
    "BaseException": "unexpected",
}
"""Why a stage failed, by the name of its error's class or of the nearest one above it."""

SPANS = {
    "job read": "read",
    "engine asked": "engine",
    "claims left": "claims",
    "builds claimed": "claims",
    "layers claimed": "claims",
    "network claimed": "claims",
    "surroundings known": "survey",
    "network created": "network",
    "network taken": "network",
    "certificates made": "certificates",
    "volumes created": "volumes",
    "image pulled": "pull",
    "image not pulled": "pull",
    "image loaded": "load",
    "container created": "create",
    "container started": "start",
    "service up": "service",
    "dind answered": "dind",
    "dind listens": "dind",
    "dind looked at": "look",
    "script ended": "script",
    "script cancelled": "cancel",
    "summary shown": "summary",
    "removed": "remove",
    "disk low": "room",
    "job swept": "sweep",
}
"""What takes time, by the event of the administrator's log."""

MARKS = {
    "image of the host used": "image_of_host",
    "service not up": "service_not_up",
    "sidecar left out": "without_dind",
    "layers dropped": "layers_dropped",
    "container lost": "lost",
    "disk filled": "disk_filled",
    "fetching failed": "fetching_failed",
    "fresh sources": "fresh_sources",
    "ghost ended": "ghost_ended",
}
"""What happens at one moment, likewise."""

NUMBERS = frozenset(
    (
        "bytes",
        "exit_code",
        "containers",
        "networks",
        "volumes",
        "left",
        "stays",
        "stopped",
        "written",
    )
)
"""The facts of an event that are numbers, and are kept where they are there."""

WORDS = {
    "policy": frozenset(("always", "if-not-present")),
    "why": frozenset(REASONS.values()),
    "reason": frozenset(
        (
            "owner-gone",
            "rebooted",
            "container-gone",
            "cleanup-failed",
            "gitlab-over",
            "past-deadline",
        )
    ),
}
"""The facts of an event that are words, each with those that it may be."""

ROLES = frozenset(("build", "helper", "dind"))
"""The containers of a job; a service is `service-` and its place in the job's list."""


def reason_of(error: BaseException) -> str:
    """Return the word for an error."""
    return next(REASONS[each.__name__] for each in type(error).__mro__ if each.__name__ in REASONS)

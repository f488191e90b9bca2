"""Why the embedded runner cannot start."""


class LocalError(Exception):
    """Bad input: one sentence that names the culprit and the remedy. Exit code 2."""


class PipelineError(LocalError):
    """The pipeline file says something that GitLab, or we, do not accept."""


class UnsupportedError(PipelineError):
    """A keyword that GitLab may know, but the embedded runner does not; only its job cannot run."""

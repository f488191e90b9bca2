"""The keys of gitlab-runner's config.toml that a custom executor meets, and their words.  Pure.

Source: `common/config.go` of gitlab-runner, 17.9 to 19.4.  gitlab-runner passes over a key that it does
not know, in silence before its `lint` (19.3), and does not look at the case of one that it knows.
"""

GLOBAL = frozenset(
    [
        "concurrent",
        "check_interval",
        "connection_max_age",
        "experimental",
        "labels",
        "listen_address",
        "log_format",
        "log_level",
        "machine",
        "runners",
        "sentry_dsn",
        "session_server",
        "shutdown_timeout",
        "user",
    ]
)
RUNNER = frozenset(
    [
        "artifact",
        "autoscaler",
        "builds_dir",
        "cache",
        "cache_dir",
        "clean_git_config",
        "clone_url",
        "custom",
        "custom_build_dir",
        "debug_trace_disabled",
        "docker",
        "environment",
        "executor",
        "experimental",
        "feature_flags",
        "get_sources_timeout",
        "id",
        "instance",
        "job_status_final_update_retry_limit",
        "kubernetes",
        "labels",
        "limit",
        "machine",
        "monitoring",
        "name",
        "output_limit",
        "parallels",
        "post_build_script",
        "post_clone_script",
        "post_get_sources_script",
        "pre_build_script",
        "pre_clone_script",
        "pre_get_sources_script",
        "prepare_timeout",
        "proxy_exec",
        "referees",
        "request_concurrency",
        "safe_directory_checkout",
        "shell",
        "slot_cgroup_template",
        "ssh",
        "step_runner_image",
        "strict_check_interval",
        "tls-ca-file",
        "tls-cert-file",
        "tls-key-file",
        "token",
        "token_expires_at",
        "token_obtained_at",
        "unhealthy_interval",
        "unhealthy_requests_limit",
        "url",
        "use_slot_cgroups",
        "virtualbox",
    ]
)
CUSTOM = frozenset(
    (
        *(f"{stage}_exec" for stage in ("config", "prepare", "run", "cleanup")),
        *(f"{stage}_args" for stage in ("config", "prepare", "run", "cleanup")),
        *(f"{stage}_exec_timeout" for stage in ("config", "prepare", "cleanup")),
        "graceful_kill_timeout",
        "force_kill_timeout",
    )
)
NEVER = {
    "exec_terminate_timeout": "graceful_kill_timeout",
    "terminate_timeout": "graceful_kill_timeout",
    "graceful_terminate_timeout": "graceful_kill_timeout",
    "exec_force_kill_timeout": "force_kill_timeout",
    "run_exec_timeout": "",
}
"""Names that documentation and samples have, and gitlab-runner never had; and what is meant."""

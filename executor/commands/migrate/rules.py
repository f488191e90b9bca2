"""What `migrate` knows of keys beyond the settings' own definition: data only.

Each sentence continues `key: ` and ends without a full stop, unless it is said to be whole.
"""

VOLUMES = (
    "Caches and fetched sources begin empty, as the names of their volumes are others;"
    " docs/migrating.md says how to find and remove those of gitlab-runner."
)
"""What holds of every runner; a whole sentence."""

CHANGED = {
    "mac_address": "carried over for the build container alone, as two containers on a network"
    " cannot share an address",
    "log_options": "carried over for services and the sidecar; of scripts the engine keeps no log",
    "allowed_privileged_images": "carried over for build containers; the helper is never privileged",
    "container_labels": "carried over; a value that holds a secret of the job is left out",
    "allowed_privileged_services": "carried over for services other than dind; which images may be"
    " the privileged sidecar says `[dind] allowed_images`",
    "network_mtu": "carried over, and handed on to the networks inside dind",
    "enable_ipv6": "carried over, for dind's own network as well; an engine before 27 must have"
    ' `"experimental": true` and `"ip6tables": true` in its daemon.json',
}
"""Keys that are carried over and mean something else, or more, from then on."""

EXCLUSIONS = (
    "a pattern that starts with `!` excludes what it matches, and a list of nothing else admits all"
    " the rest; for gitlab-runner it is a pattern like any other, which matches no image"
)
"""Of patterns in the keys of allow-lists, where one starts with `!`."""

MAY_GO = (
    "image", "helper_image", "helper_image_flavor", "pull_policy", "hostname", "userns_mode",
    "group_add", "cap_add", "devices", "device_cgroup_rules", "gpus", "pid_mode", "mac_address",
    "tmpfs", "shm_size", "oom_kill_disable", "volumes", "volumes_from", "volume_keep", "services",
    "service_gpus", "services_devices", "services_tmpfs", "wait_for_services_timeout",
    "extra_hosts", "dns_search", "network_mtu", "enable_ipv6", "container_labels", "log_options",
)  # fmt: skip
"""Keys without which jobs may do no more than with them: what is wrong in them is left out.

Whatever is wrong with any other is written as it is, so that the settings are refused.
"""

LEFT_OUT = {
    "helper_image_autoset_arch_and_os": "the Docker executor never read it; leave it out",
}
"""Keys of `[runners.docker]` without a field, besides those that the settings refuse."""

RUNNER_CHANGED = {
    "use_slot_cgroups": "gitlab-runner gives slots to its own executors alone; take the key out,"
    " and set `cgroup_parent` of `[docker]` and `[dind]`",
    "slot_cgroup_template": "gitlab-runner gives slots to its own executors alone; take the key"
    " out, and set `cgroup_parent` of `[docker]` and `[dind]`",
    "step_runner_image": "gitlab-runner runs native steps in its own executors alone; jobs with"
    " `run:` need an image that has step-runner",
    "feature_flags.FF_NETWORK_PER_BUILD": "every job has a network of its own; the flag has no"
    " effect and may go",
    "machine": "a custom executor has no autoscaling; run one runner on each machine, or scale the"
    " machines themselves",
    "autoscaler": "a custom executor has no autoscaling; run one runner on each machine, or scale"
    " the machines themselves",
}
"""Keys of `[[runners]]` that a custom executor does not have, or has otherwise."""

DIND_VARIABLES = {
    "DOCKER_TLS_CERTDIR": "the sidecar's certificates are made for each job",
    "DOCKER_HOST": "every job's Docker client is told where its sidecar is",
    "DOCKER_TLS_VERIFY": "every job's Docker client is told to verify its sidecar",
    "DOCKER_CERT_PATH": "every job's Docker client is told where its certificates are",
}
"""Variables of a runner's `environment` that the sidecar makes unnecessary."""

KEPT_BY_RUNNER = (
    "id", "name", "url", "token", "token_obtained_at", "token_expires_at", "system_id", "limit",
    "request_concurrency", "strict_check_interval", "output_limit", "environment", "shell",
    "clone_url", "clean_git_config", "safe_directory_checkout", "custom_build_dir", "tls-ca-file",
    "tls-cert-file", "tls-key-file", "debug_trace_disabled", "unhealthy_requests_limit",
    "unhealthy_interval", "job_status_final_update_retry_limit", "pre_get_sources_script",
    "post_get_sources_script", "pre_clone_script", "post_clone_script", "pre_build_script",
    "post_build_script", "prepare_timeout", "get_sources_timeout", "proxy_exec", "feature_flags",
    "cache", "artifact", "referees", "monitoring", "labels", "certificate_lifetime",
    "executor", "custom", "store", "runner_log_format", "session_server",
)  # fmt: skip
"""Keys and tables of `[[runners]]` that gitlab-runner reads itself, whatever the executor."""

PRINTED = ("id", "limit", "request_concurrency", "output_limit", "name", "url", "debug_trace_disabled",
    "clean_git_config", "unhealthy_requests_limit", "prepare_timeout", "get_sources_timeout")  # fmt: skip
"""Those of them that cannot hold a secret."""

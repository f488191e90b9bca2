"""What `migrate` knows of keys beyond the settings' own definition: data only.

Each sentence continues `key: ` and ends without a full stop, unless it is said to be whole.
"""

VOLUMES = (
    "Caches and fetched sources start empty because their volumes have new names."
    " docs/migrating.md says how to find and remove gitlab-runner's old volumes."
)
"""A note for every runner; whole sentences."""

LINKS = (
    "Services are not linked. Jobs find them by their names, and variables of links such as"
    " POSTGRES_PORT_5432_TCP_ADDR are not set: use the service's name instead in jobs that read them."
)
"""A note for runners whose services were linked; whole sentences."""

NETWORKS = (
    "Up to {jobs} jobs run at once, each in its own network, and Docker's default address pools are"
    " enough for about 30. Decide: give the engine more pools (docs/operating.md), or lower"
    " `concurrent` or `limit`."
)
"""A note for runners with many jobs; whole sentences."""

NEVER = (
    "`never` is also for the images of the sidecar and the helper. Decide: load them into the engine"
    ' before the first job, or set `[dind] mode = "service"` if jobs need no Docker'
)
"""Of `pull_policy`, where no other policy is in it."""

IN_RUNNER = (
    "gitlab-runner reads this key in [[runners]], so it had no effect here; it is not carried over."
    " Set it in [[runners]] if jobs need it"
)
IN_DOCKER = (
    "gitlab-runner reads this key in [runners.docker], so it had no effect here. Remove it, and set"
    " it in `[docker]` of the settings if jobs need it"
)
"""Of a key in the table of another."""

CHANGED = {
    "mac_address": "carried over only for the build container, because two containers on a network"
    " cannot share an address",
    "log_options": "carried over for services and the sidecar; the engine keeps no log of scripts",
    "allowed_privileged_images": "carried over for build containers; the helper is never privileged",
    "container_labels": "carried over; a value that contains a secret of the job is left out",
    "allowed_privileged_services": "carried over for services other than dind; `[dind]"
    " allowed_images` says which images may be the privileged sidecar",
    "network_mtu": "carried over, also for the networks inside dind",
    "enable_ipv6": "carried over, also for dind's own network; an engine before 27 must have"
    ' `"experimental": true` and `"ip6tables": true` in its daemon.json',
}
"""Keys that are carried over and mean something else, or more, from then on."""

EXCLUSIONS = (
    "a pattern that starts with `!` excludes what it matches, and a list with only such patterns"
    " admits everything else; for gitlab-runner it is an ordinary pattern that matches no image"
)
"""Of patterns in the keys of allow-lists, where one starts with `!`."""

MAY_GO = (
    "image", "helper_image", "helper_image_flavor", "pull_policy", "hostname", "userns_mode",
    "group_add", "cap_add", "devices", "device_cgroup_rules", "gpus", "pid_mode", "mac_address",
    "tmpfs", "shm_size", "oom_kill_disable", "volumes", "volumes_from", "volume_keep", "services",
    "service_gpus", "services_devices", "services_tmpfs", "wait_for_services_timeout",
    "extra_hosts", "dns_search", "network_mtu", "enable_ipv6", "container_labels", "log_options",
)  # fmt: skip
"""Keys without which jobs may do no more than with them: wrong parts of them are left out.

Whatever is wrong with any other is written as it is, so that the settings are refused.
"""

LEFT_OUT = {
    "helper_image_autoset_arch_and_os": "the Docker executor never read it; remove it",
}
"""Keys of `[runners.docker]` without a field, besides those that the settings refuse."""

RUNNER_CHANGED = {
    "use_slot_cgroups": "gitlab-runner gives slots only to its own executors; remove the key,"
    " and set `cgroup_parent` of `[docker]` and `[dind]`",
    "slot_cgroup_template": "gitlab-runner gives slots only to its own executors; remove the"
    " key, and set `cgroup_parent` of `[docker]` and `[dind]`",
    "step_runner_image": "gitlab-runner runs native steps only in its own executors; jobs with"
    " `run:` need an image that has step-runner",
    "feature_flags.FF_NETWORK_PER_BUILD": "every job has its own network; the flag has no"
    " effect and can be removed",
    "machine": "a custom executor has no autoscaling; run one runner on each machine, or scale the"
    " machines themselves",
    "autoscaler": "a custom executor has no autoscaling; run one runner on each machine, or scale"
    " the machines themselves",
}
"""Keys of `[[runners]]` that a custom executor does not have, or has otherwise."""

DIND_VARIABLES = {
    "DOCKER_TLS_CERTDIR": "dind-executor makes the sidecar's certificates for each job",
    "DOCKER_HOST": "dind-executor tells every job's Docker client where its sidecar is",
    "DOCKER_TLS_VERIFY": "dind-executor tells every job's Docker client to verify its sidecar",
    "DOCKER_CERT_PATH": "dind-executor tells every job's Docker client where its certificates are",
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

"""Every key that shapes a container, set to something: as TOML, for tables of settings."""

DOCKER = """\
hostname = "builder"
runtime = "runc"
memory = "512m"
memory_swap = "1g"
memory_reservation = "256m"
cgroup_parent = "/jobs"
cpuset_cpus = "0-1"
cpuset_mems = "0"
cpus = "1/3"
cpu_shares = 512
oom_kill_disable = true
oom_score_adjust = 500
shm_size = 134217728
ulimit = { nofile = "1024:2048", nproc = "-1" }
service_memory = "128m"
service_memory_swap = "-1"
service_memory_reservation = "64m"
service_cgroup_parent = "/services"
service_cpuset_cpus = "0"
service_cpus = "0.25"
service_cpu_shares = 256
service_gpus = "device=0"
services_devices = { "tools/*:*" = ["/dev/null:/dev/service-null:r"] }
services_security_opt = ["no-new-privileges"]
services_tmpfs = { "/scratch" = "rw,size=1m", "/var/lib/docker" = "rw" }
services_privileged = true
allowed_privileged_services = ["postgres:*"]
privileged = true
allowed_privileged_images = ["docker:*"]
group_add = ["audio", "1234"]
userns_mode = "host"
cap_add = ["NET_ADMIN"]
cap_drop = ["MKNOD"]
security_opt = ["seccomp=unconfined", "no-new-privileges"]
devices = ["/dev/fuse", "/dev/null:/dev/other-null:rw"]
device_cgroup_rules = ["c 10:232 rwm"]
gpus = "all"
tmpfs = { "/scratch" = "rw,exec" }
sysctls = { "net.core.somaxconn" = "512" }
volumes_from = ["data:ro"]
pid_mode = "host"
ipcmode = "shareable"
mac_address = "02:42:ac:11:00:99"
container_labels = { "com.example.team" = "$TEAM" }
log_options = { labels = "com.example.team", env = "TEAM" }
"""

OURS = """\
pids_limit = 512
service_pids_limit = 128
"""
"""Those that gitlab-runner does not have."""

DIND = """\
memory = "2g"
memory_swap = "4g"
memory_reservation = "1g"
cgroup_parent = "/dind"
cpuset_cpus = "1"
cpus = "2"
cpu_shares = 2048
pids_limit = 4096
ulimit = { nofile = "65536" }
sysctls = { "net.ipv4.ip_forward" = "1" }
"""

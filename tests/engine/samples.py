"""Images and containers that several tests of the engine use."""

from executor.spec import ContainerSpec, FileSpec

INSPECT = "/images/.*/json"
NEW = "sha256:" + "a" * 64
DIGEST = "sha256:" + "d" * 64
FRESH = {
    "Id": NEW,
    "RepoDigests": [f"other@{DIGEST}", f"docker@{DIGEST}"],
    "Config": {
        "Entrypoint": ["dockerd-entrypoint.sh"],
        "Cmd": None,
        "ExposedPorts": {"2376/tcp": {}},
        "Volumes": {"/var/lib/docker": {}},
    },
}
SPEC = ContainerSpec(
    name="job-build",
    image="alpine:3",
    labels={"dind-executor.job": "1"},
    network="job",
    command=("sh",),
    runs_scripts=True,
)
SIDECAR = ContainerSpec(
    name="job-dind",
    image="docker:dind",
    labels={},
    network="job",
    files=(FileSpec("/certs/server/key.pem", b"hunter2"),),
    host={"Privileged": True},
)

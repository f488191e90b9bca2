"""The rig: a real engine, registries, images and a git server, built on this machine for the tests.

__main__     `python -m tests.rig up | down | status`
up, down     the two stories, told step by step
state        Rig: what a test needs to know, read from the state file
paths        where everything lies
say          what the rig tells the person who started it
packages     Debian packages that the machine must have
address      the network interface and the one address under which everything is reached
authority    the certificates of the registries
processes    background processes by pid file
engine       the Docker Engine that is there, or one of our own
firewall     what an engine of ours leaves on the machine, taken away again
runtime      the OCI runtime wrapper for a machine that lacks a capability
probes       short containers that show what this engine can do
registries   the hub mirror, the GitLab-like registry, the dependency proxy
catalogue    which images there are, and under which names
debian       Debian packages, resolved and downloaded for one suite
layers       image layers, written as tar files
upload       images, put into a registry over its HTTP API
images       builds what the catalogue names and is not in the hub mirror yet
official     the same names from the real Docker Hub, where it is in reach
settings     dind-executor's settings file
git          the sample project behind `git http-backend`
"""

"""What brings dind-executor to hosts: packages, an image, a role."""

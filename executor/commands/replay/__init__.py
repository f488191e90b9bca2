"""`dind-executor replay`: runs a captured job again through the hooks, as `dind-executor local` runs one."""

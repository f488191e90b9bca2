"""Installing, upgrading, rolling back and removing on a runner host.

Below the prefix each version has a directory of its own: a Python prefix with `bin/python`, its modules,
and its `hooks`.  `current` is a link to one of them, `previous` to the one before.  The hooks that
gitlab-runner calls lie in `hooks`; a job keeps the version that its config call found (`hooks/config`).

| module | what it does |
|---|---|
| `command` | `dind-executor install`: makes a version, switches to it, sees to the host |
| `versions` | which versions there are, and the two links |
| `making` | makes a version, from a clone or from a built one |
| `host` | the command, settings, log, state, and what other programs of the host read |
| `jobs` | which jobs run, and with which version |
| `rollback`, `uninstall` | the commands of these names |
"""

# Sourced by the commands of this directory: the virtual environment, in `venv/`.
# shellcheck shell=sh

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'ERROR: %s\n' "$*" >&2
    exit 2
}

# Prints the first Python that is new enough.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

install_packages() {
    command -v apt-get >/dev/null || fail "this machine has no apt-get: install $* by hand, then try again"
    [ "$(id -u)" = 0 ] || fail "$* is missing: run this again as root, or run: sudo apt-get install $*"
    say "Installing $* ..."
    apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install --yes \
        --no-install-recommends "$@" >/dev/null
}

# Makes the virtual environment, or brings it up to date when pyproject.toml has changed.
make_venv() {
    stamp=venv/.dind-executor-stamp
    wanted=$(cksum <pyproject.toml)
    if [ -x venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        say 'The virtual environment in venv/ is up to date.'
        return
    fi
    python=$(find_python) || {
        install_packages python3 python3-venv
        python=$(find_python) || fail 'no Python 3.11 or later was found: install one with its venv module'
    }
    "$python" -c 'import ensurepip' 2>/dev/null \
        || install_packages "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    say 'Making the virtual environment in venv/ ...'
    [ -x venv/bin/python ] || "$python" -m venv venv
    # As a path: the other way has each start of Python load what finds the packages, for 13 ms.
    venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --config-settings editable_mode=compat --editable '.[dev]'
    echo "$wanted" >"$stamp"
}

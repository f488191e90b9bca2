#!/bin/sh
# Installs dind-executor into an image of gitlab-runner; the Dockerfile beside this calls it.
set -eu

# Prints the first Python that is new enough and can make a virtual environment.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

install_python() {
    if command -v apk >/dev/null; then
        apk add --no-cache python3
    elif command -v apt-get >/dev/null; then
        apt-get -q update
        DEBIAN_FRONTEND=noninteractive apt-get -q install --yes --no-install-recommends \
            python3 python3-venv
        rm -rf /var/lib/apt/lists/*
    fi
}

# Installs the package of this clone's version that lies beside pyproject.toml, if there is one for this image.
install_package() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' executor/__init__.py)
    if command -v dpkg >/dev/null; then
        kind=deb package=./dind-executor_${version}_$(dpkg --print-architecture).deb
    elif command -v rpm >/dev/null; then
        kind=rpm package=./dind-executor-$version-1.$(uname -m).rpm
    else
        return 0
    fi
    if [ -e "$package" ]; then
        case $kind in
            deb) exec dpkg --install "$package" ;;
            rpm) exec rpm --install "$package" ;;
        esac
    fi
    for other in ./dind-executor*."$kind"; do
        if [ -e "$other" ]; then echo "dist/${other#./} is not dist/${package#./}: it is left out."; fi
    done
}

cd "$(dirname "$0")/../.."
install_package
find_python >/dev/null || install_python
if ! python=$(find_python); then
    echo 'ERROR: This image has no package of Python 3.11 or later. Put a package of dind-executor into' \
        'dist/, or choose an image with a newer distribution:' \
        '--build-arg RUNNER_IMAGE=gitlab/gitlab-runner:alpine' >&2
    exit 1
fi
"$python" -m executor install

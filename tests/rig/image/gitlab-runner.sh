#!/bin/bash
# Stands in for gitlab-runner in the helper image where no real one is at hand.
# It passes artifacts between jobs over GitLab's job API, and keeps caches in files or over HTTP.
set -eu
shopt -s globstar nullglob dotglob

url='' token='' id='' file='' name=default format=zip type=archive untracked=no
paths=() excludes=()
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "ERROR: $*" >&2
    exit 1
}

# Both forms of a flag are in use: `--id 1` and `--id=1`.
read_flags() {
    local flag value
    while [ $# -gt 0 ]; do
        case $1 in
            --untracked) untracked=yes && shift && continue ;;
            --*=*) flag=${1%%=*} value=${1#*=} && shift ;;
            --*) [ $# -ge 2 ] || fail "$1 needs a value" && flag=$1 value=$2 && shift 2 ;;
            *) fail "unexpected argument $1" ;;
        esac
        case $flag in
            --url) url=${value%/} ;;
            --token) token=$value ;;
            --id) id=$value ;;
            --name) name=$value ;;
            --path) paths+=("${value#"$PWD"/}") ;;
            --file) file=$value ;;
            --exclude) excludes+=("$value") ;;
            --artifact-format) format=$value ;;
            --artifact-type) type=$value ;;
        esac
    done
}

need_job() {
    # shellcheck disable=SC2015 # `fail` is meant for each of them
    [ -n "$url" ] && [ -n "$token" ] && [ -n "$id" ] || fail '--url, --token and --id are needed'
}

# The token goes by standard input, so that no process list shows it.
request() {
    printf 'header = "JOB-TOKEN: %s"\n' "$token" | curl --config - --silent --show-error --location "$@"
}

# The pattern expands unquoted, with no word splitting of what it holds.
matching() {
    local IFS='' found file
    # shellcheck disable=SC2206
    found=($1)
    for file in "${found[@]}"; do
        # shellcheck disable=SC2015
        [ ! -e "$file" ] && [ ! -L "$file" ] || find "$file" ! -type d -o -type d -empty
    done
}

list_files() {
    local pattern count
    for pattern in "${paths[@]}"; do
        matching "$pattern" >"$scratch/found"
        count=$(wc -l <"$scratch/found")
        if [ "$count" -gt 0 ]; then
            echo "$pattern: found $count matching artifact files and directories" >&2
        else
            echo "WARNING: $pattern: no matching files. Ensure that the artifact path is relative" \
                "to the working directory ($PWD)" >&2
        fi
        cat "$scratch/found"
    done
    [ "$untracked" = no ] || git ls-files --others --exclude-standard
}

upload() {
    local options=() pattern status
    read_flags "$@"
    need_job
    [ "$format" = zip ] || fail "this stand-in for gitlab-runner makes zip archives only, not $format"
    list_files | sort -u >"$scratch/list"
    if [ ! -s "$scratch/list" ]; then
        echo 'ERROR: No files to upload' >&2
        return
    fi
    for pattern in "${excludes[@]}"; do options+=(--exclude "$pattern"); done
    zip --quiet --symlinks --names-stdin "$scratch/a.zip" "${options[@]}" <"$scratch/list"
    status=$(request --form "file=@$scratch/a.zip;filename=$name.zip" --output "$scratch/answer" \
        --write-out '%{http_code}' \
        "$url/api/v4/jobs/$id/artifacts?artifact_format=$format&artifact_type=$type") \
        || fail "Uploading artifacts as \"$type\" to coordinator... no answer from $url"
    [ "$status" = 201 ] \
        || fail "Uploading artifacts as \"$type\" to coordinator... $status $(cat "$scratch/answer")"
    echo "Uploading artifacts as \"$type\" to coordinator... $status Created"
}

download() {
    local status
    read_flags "$@"
    need_job
    status=$(request --output "$scratch/a.zip" --write-out '%{http_code}' \
        "$url/api/v4/jobs/$id/artifacts") \
        || fail "Downloading artifacts from coordinator... no answer from $url"
    [ "$status" = 200 ] || fail "Downloading artifacts from coordinator... answered $status"
    unzip -oq "$scratch/a.zip"
    echo 'Downloading artifacts from coordinator... ok'
}

save_cache() {
    read_flags "$@"
    list_files | sort -u >"$scratch/list"
    mkdir -p "$(dirname "$file")"
    rm -f "$file"
    zip --quiet --symlinks --names-stdin "$scratch/a.zip" <"$scratch/list"
    mv "$scratch/a.zip" "$file"
    [ -z "$url" ] || curl --silent --show-error --fail --upload-file "$file" "$url"
}

restore_cache() {
    read_flags "$@"
    mkdir -p "$(dirname "$file")"
    if [ -n "$url" ] && ! curl --silent --show-error --fail --output "$file" "$url"; then
        echo 'WARNING: file does not exist' >&2
    fi
    if [ ! -e "$file" ]; then
        echo 'WARNING: Cache file does not exist' >&2
        exit 1
    fi
    unzip -oq "$file"
}

case ${1-} in
    --version | -v)
        echo 'Version:      17.9.0 (stand-in of the dind-executor rig)'
        ;;
    artifacts-uploader) shift && upload "$@" ;;
    artifacts-downloader) shift && download "$@" ;;
    cache-archiver) shift && save_cache "$@" ;;
    cache-extractor) shift && restore_cache "$@" ;;
    cache-init) shift && chmod 0777 "$@" ;;
    *) fail "this stand-in for gitlab-runner has no command ${1-}" ;;
esac

#!/usr/bin/env bash
# Build the container image on a Debian machine that has no container engine, and see that it serves.
#
#   scripts/build-image-without-engine.sh [ARCHIVE]
#
# The base is made by debootstrap instead of being pulled; the Dockerfile is the one that any engine builds. With
# ARCHIVE (image.tar) the image is kept there, for `docker load`. Needs root, a Debian mirror and PyPI:
#
#   apt-get install --no-install-recommends buildah crun debootstrap
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

archive=${1:-}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
image=localhost/needling-registry
port=${PORT:-8765}
work=$(mktemp --directory)
served=

finish() {
    if [ -n "$served" ]; then stop; fi
    rm --recursive --force "$work"
}
trap finish EXIT

# The server is a group of processes; all of them are gone before their files are.
stop() {
    kill -- "-$served" || true
    for _ in $(seq 60); do
        if ! kill -0 -- "-$served" 2>/dev/null; then break; fi
        sleep 0.5
    done
}

export BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
say() { printf '\n== %s\n' "$*"; }

say "Debian with Python 3.11, as the base"
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/debian" "$mirror" \
    >"$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
base=$(buildah from scratch)
buildah copy --quiet "$base" "$work/debian" /
buildah commit --quiet --rm "$base" localhost/base
rm --recursive --force "$work/debian"

say "The image"
# This machine's authorities count in the build too: there may be a proxy between it and PyPI.
authorities=/etc/ssl/certs/ca-certificates.crt
printf '[global]\ncert = %s\n' "$authorities" >"$work/pip.conf"
buildah build --format docker --build-arg BASE=localhost/base --tag "$image" \
    --volume "$authorities:$authorities:ro" --volume "$work/pip.conf:/etc/pip.conf:ro" .

say "The image's commands"
container=$(buildah from "$image")
run() { buildah run --env "PORT=$port" "$container" -- "$@"; }
run registry migrate
mapfile -t command < <(
    buildah inspect --type image --format '{{range .OCIv1.Config.Cmd}}{{println .}}{{end}}' "$image" | grep .
)
set -m # a process group of its own
run "${command[@]}" &
served=$!
set +m
for _ in $(seq 60); do
    if answer=$(curl --silent --fail "http://127.0.0.1:$port/healthz"); then break; fi
    sleep 0.5
done
echo "healthz: ${answer:?no answer}"

if [ -n "$archive" ]; then
    say "$archive"
    buildah push --quiet "$image" "docker-archive:$archive:needling-registry:latest"
fi

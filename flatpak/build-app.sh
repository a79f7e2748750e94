#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build-app.sh — from the manifest to an installed bundle
#
#   build-app.sh WORK MANIFEST.json
#
# Builds with the runtimes of the installation in FLATPAK_USER_DIR, writes
# WORK/ID.flatpak, one file, and installs from that file, as a user would.

set -euo pipefail

[ $# = 2 ] || { echo 'usage: build-app.sh WORK MANIFEST.json' >&2; exit 2; }
mkdir -p -- "$1"
work=$(cd -- "$1" && pwd -P)
manifest=$2
: "${FLATPAK_USER_DIR:?names the installation to build and install in}"
id=$(basename "$manifest" .json)
bundle=$work/$id.flatpak

say () { printf '    %4ss  %s\n' "$SECONDS" "$*"; }

say "building $id"
# FUSE is often missing in a container, and nothing here depends on it.
flatpak-builder --user --force-clean --disable-rofiles-fuse --disable-updates \
  --state-dir="$work/state" --repo="$work/app-repo" --default-branch=stable \
  "$work/app" "$manifest" >"$work/builder.log" 2>&1 || {
  tail -40 "$work/builder.log" >&2
  echo "build-app.sh: the build failed; all of it is in $work/builder.log" >&2
  exit 1
}

say 'bundling'
# With the address, whoever installs the bundle is offered the runtime too. But it
# is looked up on every installation, which must work here without Flathub.
offer=()
if flatpak --user remotes --columns=name | grep -qx flathub; then
  offer=(--runtime-repo=https://dl.flathub.org/repo/flathub.flatpakrepo)
fi
flatpak build-bundle "${offer[@]}" "$work/app-repo" "$bundle" "$id" stable

say "installing the bundle, $(du -k "$bundle" | cut -f1) kB"
flatpak --user uninstall -y --noninteractive "$id" >/dev/null 2>&1 || true
flatpak --user install -y --noninteractive --bundle "$bundle" >/dev/null
flatpak --user info "$id" | sed 's/^/          /'

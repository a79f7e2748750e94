#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# try.sh — the whole path of the Flatpak: runtime, build, bundle, install, window
#
#   try.sh WORK MANIFEST.json
#
# Everything stays in WORK, also the installation: no Flatpak of the user is
# seen or changed. The GNOME runtime comes from Flathub; where that cannot be
# reached, a stand-in is made of Debian packages and installed under the same
# name, so that the manifest is built as it is.

set -euo pipefail

[ $# = 2 ] || { echo 'usage: try.sh WORK MANIFEST.json' >&2; exit 2; }
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# A user other than root must reach a system bus to install an app with a content
# rating, for Flatpak asks it about parental controls. Any bus will do.
if [ "$(id -u)" != 0 ] && [ -z "${DBUS_SYSTEM_BUS_ADDRESS:-}" ] &&
   [ ! -S /run/dbus/system_bus_socket ]; then
  # shellcheck disable=SC2016 # expanded inside the session
  exec dbus-run-session -- bash -c \
    'DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS exec "$@"' _ "$0" "$@"
fi
mkdir -p -- "$1"
work=$(cd -- "$1" && pwd -P)
manifest=$(cd -- "$(dirname -- "$2")" && pwd -P)/$(basename -- "$2")
export FLATPAK_USER_DIR=$work/installation

field () { # NAME
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
    "$manifest" "$1"
}
id=$(field id)
platform=$(field runtime)
sdk=$(field sdk)
branch=$(field runtime-version)

say () { printf '==> %s\n' "$*"; }

has_runtimes () {
  flatpak --user info "$platform//$branch" >/dev/null 2>&1 &&
    flatpak --user info "$sdk//$branch" >/dev/null 2>&1
}

install_runtimes () { # REMOTE
  flatpak --user install -y --noninteractive --or-update "$1" \
    "runtime/$platform//$branch" "runtime/$sdk//$branch" >/dev/null
}

if ! has_runtimes; then
  say "fetching $platform $branch from Flathub"
  if flatpak --user remote-add --if-not-exists flathub \
       https://dl.flathub.org/repo/flathub.flatpakrepo 2>"$work/flathub.log" &&
     install_runtimes flathub 2>>"$work/flathub.log"; then
    say 'it is the real one'
  else
    command -v mmdebstrap >/dev/null || {
      cat -- "$work/flathub.log" >&2
      echo 'try.sh: no runtime, and no mmdebstrap to make a stand-in' >&2
      exit 1
    }
    say "Flathub cannot be reached: making a stand-in out of Debian packages"
    "$here/make-runtime.sh" "$work/runtime" "$platform" "$sdk" "$branch"
    flatpak --user remote-add --if-not-exists --no-gpg-verify stand-in \
      "file://$work/runtime/repo"
    install_runtimes stand-in
  fi
fi

say 'building, bundling and installing'
"$here/build-app.sh" "$work" "$manifest"

say 'opening its window in the sandbox'
"$here/../tests/support/with-display" "$here/shot.sh" "$id" "$work/window.png" \
  --scenario first-promotion --run
say "the bundle is $work/$id.flatpak, the picture $work/window.png"

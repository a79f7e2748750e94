#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# shot.sh — run an installed Flatpak and take a picture of its window
#
#   with-display shot.sh APP_ID OUT.png [ARGUMENT...]
#
# Waits for a window of at least 100 pixels each way that names its class, then
# until the screen shows more than a blank window with a line of text has colours,
# and keeps that picture. Exit 1: the app ended or did not get so far within a minute;
# what it said is printed.

set -euo pipefail

[ $# -ge 2 ] || { echo 'usage: shot.sh APP_ID OUT.png [ARGUMENT...]' >&2; exit 2; }
id=$1 out=$2
shift 2
log=$(mktemp)

flatpak --user run "$id" "$@" >"$log" 2>&1 &
app=$!
finish () {
  flatpak kill "$id" 2>/dev/null || kill "$app" 2>/dev/null || true
  wait "$app" 2>/dev/null || true
  rm -f -- "$log"
}
trap finish EXIT

has_window () {
  xwininfo -root -tree | grep -Eq '": \(".*[^0-9][0-9]{3,}x[0-9]{3,}\+'
}

has_picture () {
  import -window root "$out" && [ "$(identify -format %k "$out")" -gt 200 ]
}

for ((tries = 0; tries < 240; tries++)); do
  if has_window && has_picture; then
    exit 0
  fi
  kill -0 "$app" 2>/dev/null || break
  sleep 0.25
done
echo "shot.sh: $id showed no picture; it said:" >&2
cat -- "$log" >&2
exit 1

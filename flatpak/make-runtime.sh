#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make-runtime.sh — a stand-in for a GNOME runtime, out of Debian packages
#
#   make-runtime.sh WORK PLATFORM SDK BRANCH
#
# For a machine that reaches Debian's archive but no Flatpak remote. Leaves the
# OSTree repository WORK/repo with runtime/PLATFORM and runtime/SDK at BRANCH, so
# that a manifest that names them builds unchanged. What it makes carries another
# system's name: install it nowhere but in a throw-away installation.
#
# Idea      A Debian tree, unpacked without scripts of our own, becomes a runtime
#           by moving: its usr is the runtime's files, the wanted parts of its
#           etc go to usr/etc. The SDK is the same with compiler and headers.
#           flatpak build-export turns the folder into a ref.
# Input     SUITE (trixie), MIRROR and MMDEBSTRAP_ARGS go to mmdebstrap.
# Cost      two to five minutes and 1.5 GB.

set -euo pipefail

[ $# = 4 ] || { echo 'usage: make-runtime.sh WORK PLATFORM SDK BRANCH' >&2; exit 2; }
mkdir -p -- "$1"
work=$(cd -- "$1" && pwd -P)
platform=$2 sdk=$3 branch=$4
suite=${SUITE:-trixie}
arch=$(flatpak --default-arch)
repo=$work/repo

platform_packages=(
  libgtk-4-1 libadwaita-1-0 libjson-glib-1.0-0 libcairo2 liblz4-1 libzstd1
  librsvg2-common adwaita-icon-theme hicolor-icon-theme fontconfig
  fonts-cantarell fonts-dejavu-core shared-mime-info xkb-data
  dconf-gsettings-backend gsettings-desktop-schemas ca-certificates
)
sdk_packages=(
  "${platform_packages[@]}"
  gcc libc6-dev make meson ninja-build pkgconf gettext python3 libxml2-utils
  libgtk-4-dev libadwaita-1-dev libjson-glib-dev liblz4-dev libzstd-dev
  desktop-file-utils appstream appstream-compose gtk-update-icon-cache
  elfutils patch file xz-utils bzip2 zstd git
)

say () { printf '    %4ss  %s\n' "$SECONDS" "$*"; }

unpack () { # TREE PACKAGE...
  local tree=$1 list
  shift
  list=$(IFS=,; echo "$*")
  rm -rf -- "$tree"
  # shellcheck disable=SC2086 # arguments are meant to be split
  mmdebstrap --quiet --variant=essential --include="$list" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    ${MMDEBSTRAP_ARGS:-} "$suite" "$tree" ${MIRROR:+"$MIRROR"}
}

# Flatpak fills the sandbox's etc from usr/etc and makes passwd, group, machine-id
# and resolv.conf itself; the password files may not be in a runtime at all.
move_etc () { # TREE USR
  local tree=$1 usr=$2 part
  rm -rf -- "${usr:?}/etc"
  mkdir -- "$usr/etc"
  for part in alternatives ca-certificates dconf fonts ld.so.conf.d \
              nsswitch.conf os-release profile ssl xattr.conf xdg; do
    if [ -e "$tree/etc/$part" ] || [ -L "$tree/etc/$part" ]; then
      mv -- "$tree/etc/$part" "$usr/etc/$part"
    fi
  done
  # The text that Flatpak lays over this when an app runs; a build reads ours.
  printf '%s\n' 'include /run/flatpak/ld.so.conf.d/app-*.conf' \
    'include /app/etc/ld.so.conf' '/app/lib64' '/app/lib' \
    'include /run/flatpak/ld.so.conf.d/runtime-*.conf' \
    'include /usr/etc/ld.so.conf.d/*.conf' >"$usr/etc/ld.so.conf"
}

# Flatpak looks for ldconfig in bin. A lib64 that is a folder would draw meson's
# libraries to /app/lib64, which nothing searches: only the loader stands there,
# so it moves and lib64 becomes a link.
mend_folders () { # USR
  local usr=$1 loader target
  ln -sf ../sbin/ldconfig "$usr/bin/ldconfig"
  [ -d "$usr/lib64" ] && [ ! -L "$usr/lib64" ] || return 0
  for loader in "$usr"/lib64/*; do
    target=$(readlink -f "$loader")
    ln -s "$(basename "$(dirname "$target")")/$(basename "$target")" \
      "$usr/lib/$(basename "$loader")"
  done
  rm -r -- "${usr:?}/lib64"
  ln -s lib "$usr/lib64"
}

# Without drivers GTK draws with cairo, which is what this machine has anyway.
# Device nodes, sockets and set-id bits have no place in a runtime.
slim () { # USR
  local usr=$1
  ( cd -- "$usr"
    rm -rf games local src share/doc share/man share/info share/bug \
      share/lintian lib/systemd lib/udev lib/modprobe.d share/gir-1.0 \
      bin/*-lto-dump* lib/*/dri share/vulkan/icd.d
    rm -f lib/*/libLLVM*.so* lib/*/libgallium-*.so lib/*/libvulkan_*.so
    find . -name __pycache__ -type d -prune -exec rm -rf {} +
    find . \( -type b -o -type c -o -type p -o -type s \) -delete
    find . -type f -perm /6000 -exec chmod a-s {} + )
}

# flatpak-builder before 1.4 calls appstream-compose inside the SDK, which newer
# systems dropped, and moves the metainfo to a folder that its heir does not read.
add_composer () { # USR
  local usr=$1
  [ -x "$usr/bin/appstreamcli" ] && [ ! -e "$usr/bin/appstream-compose" ] || return 0
  cat >"$usr/bin/appstream-compose" <<'COMPOSER'
#!/bin/sh
for argument; do
  case $argument in
    --prefix=*) prefix=${argument#*=} ;;
    --basename=*) base=${argument#*=} ;;
    -*) ;;
    *) id=$argument ;;
  esac
done
new=$prefix/share/metainfo/$id.metainfo.xml
[ -e "$new" ] || install -D -m 644 "$prefix/share/appdata/$id.appdata.xml" "$new"
exec appstreamcli compose --no-color --prefix=/ --origin="${base:-$id}" \
  --result-root="$prefix" --data-dir="$prefix/share/app-info/xmls" \
  --icons-dir="$prefix/share/app-info/icons/flatpak" \
  --components="$id,$id.desktop" "$prefix"
COMPOSER
  chmod 755 "$usr/bin/appstream-compose"
}

export_as () { # ID PACKAGE...
  local id=$1 tree=$work/tree folder=$work/folder
  shift
  say "$id: unpacking Debian $suite"
  unpack "$tree" "$@"
  rm -rf -- "$folder"
  mkdir -p -- "$folder/files"
  mv -- "$tree/usr" "$folder/usr"
  move_etc "$tree" "$folder/usr"
  mend_folders "$folder/usr"
  slim "$folder/usr"
  add_composer "$folder/usr"
  cat >"$folder/metadata" <<METADATA
[Runtime]
name=$id
runtime=$platform/$arch/$branch
sdk=$sdk/$arch/$branch

[Environment]
XDG_DATA_DIRS=/app/share:/usr/share:/usr/share/runtime/share:/run/host/user-share:/run/host/share
METADATA
  say "$id: exporting $(du -sm "$folder/usr" | cut -f1) MB"
  flatpak build-export --runtime --disable-sandbox --no-update-summary \
    --subject="$id out of Debian $suite" "$repo" "$folder" "$branch" >/dev/null
  rm -rf -- "$tree" "$folder"
}

[ -d "$repo" ] || ostree init --repo="$repo" --mode=bare-user-only
export_as "$platform" "${platform_packages[@]}"
export_as "$sdk" "${sdk_packages[@]}"
flatpak build-update-repo "$repo" >/dev/null
say "the stand-in is in $repo"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# prefix-symbols.sh NM OBJCOPY AR OUTPUT.a NAMES.h OBJECT…
#
# Makes the archive of the stepped build. Both builds of the engines go into one
# program, so every global name that these objects define gets the prefix
# "step_", unless it has it already, wherever it is defined or used. A name that
# a new file brings is thus taken care of. NAMES.h has a #define for each, for
# programs that want the stepped build under its plain names. A failing assert()
# of the stepped build ends the run, not the program.
set -eu

nm=$1 objcopy=$2 ar=$3 output=$4 header=$5
shift 5

parts="$output.parts"
rm -rf "$parts" "$output"
mkdir -p "$parts"
"$nm" -g --defined-only "$@" |
  awk 'NF == 3 && $3 !~ /^step_/ { print $3, "step_" $3 }' |
  sort -u > "$parts/names"
sed 's/^/#define /' "$parts/names" | grep -v '[.$]' > "$header"
echo '__assert_fail step_assert_fail' >> "$parts/names"
n=0
for object; do
  n=$((n + 1))
  "$objcopy" --redefine-syms="$parts/names" "$object" \
    "$parts/$n-$(basename "$object")"
done
"$ar" rcs "$output" "$parts"/*.o
rm -rf "$parts"

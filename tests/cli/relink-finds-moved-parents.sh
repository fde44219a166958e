#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "relink finds a parent by its UUID; exit 6 when one stays missing"
requires jq
chain
want=$(content leaf.vhd)
mkdir old
mv base.vhd old/renamed.vhd
broken=$(state ./*.vhd)

vhdtool 6 measure leaf.vhd
vhdtool 6 relink .
stderr_has "^vhdtool: "
equal "files" "$broken" "$(state ./*.vhd)"

vhdtool 0 relink --dry-run --search old mid.vhd
stdout_has "mid.vhd: .*base.vhd -> .*old/renamed.vhd"
equal "files after the dry run" "$broken" "$(state ./*.vhd)"

vhdtool 0 relink --json --search old .
json_is '.[0] | keys | join(" ")' "error filename new-parent old-parent"
json_is 'map(.filename | split("/") | last) | join(" ")' mid.vhd
vhdtool 0 relink --search old .
stdout_is "No link is broken."
vhdtool 0 convert -O raw --search old leaf.vhd raw
equal "content" "$want" "$(sha256sum <raw | cut -d' ' -f1)"

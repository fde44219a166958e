#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what a symbolic link called like a snapshot leads to is left alone"
disk
mkdir elsewhere
vhdtool 0 create elsewhere/other.vhd 4M
echo mine >elsewhere/text
ln -s elsewhere/other.vhd disk@other.vhd
ln -s elsewhere/text disk@text.vhd
ln -s disk.vhd disk@latest.vhd
before=$(stat -c '%n %a %y' elsewhere/*)
vhdtool 0 snapshot create disk.vhd three
vhdtool 0 compact disk.vhd
vhdtool 0 snapshot delete disk.vhd one
equal "what is elsewhere" "$before" "$(stat -c '%n %a %y' elsewhere/*)"
equal "links" "disk@latest.vhd disk@other.vhd disk@text.vhd" \
    "$(find . -type l -printf '%f\n' | sort | paste -sd' ')"
vhdtool 0 check --chain disk.vhd

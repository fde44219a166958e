#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what exists is replaced with --force only"
chain
echo precious >x.vhd
before=$(state x.vhd)

refused() # ARGUMENT...
{
	vhdtool 1 "$@"
	stderr_has "^vhdtool: x\.vhd|x\.vhd.* exists"
	equal "$last: x.vhd" "$before" "$(state x.vhd)"
}

refused create x.vhd 1M
refused convert leaf.vhd x.vhd
refused convert -O raw leaf.vhd x.vhd
refused convert -O fixed -z leaf.vhd x.vhd
refused map --svg x.vhd leaf.vhd
refused tree --svg x.vhd .
python3 -B "$refvhd" damage V04 odd
refused check --repair --undo x.vhd odd
rm odd

vhdtool 0 map --svg x.vhd --force leaf.vhd
vhdtool 0 tree --svg x.vhd --force .
vhdtool 0 convert --force leaf.vhd x.vhd
vhdtool 0 compare leaf.vhd x.vhd
vhdtool 0 create --force x.vhd 1M
equal "files" "base.vhd leaf.vhd mid.vhd x.vhd" "$(echo *)"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "merge exits 7 and changes nothing when another image stands on a parent"
chain
mkdir other
before=$(state base.vhd leaf.vhd mid.vhd)

vhdtool 0 create --parent mid.vhd sibling.vhd
vhdtool 7 merge leaf.vhd
stderr_has "sibling\.vhd"
stderr_has "searched"
equal "files" "$before" "$(state base.vhd leaf.vhd mid.vhd)"

# Out of sight, it is found where the user says.
mv sibling.vhd other
vhdtool 7 merge --search other leaf.vhd
stderr_has "other/sibling\.vhd"
vhdtool 7 merge --search other --dry-run leaf.vhd
equal "files" "$before" "$(state base.vhd leaf.vhd mid.vhd)"

# Writing to an image with children is refused too.
vhdtool 7 resize mid.vhd +1M
equal "files" "$before" "$(state base.vhd leaf.vhd mid.vhd)"

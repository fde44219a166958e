#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "measure --json has the keys of the manual, and its numbers hold"
requires jq
chain

vhdtool 0 measure --json leaf.vhd
json_is 'keys | join(" ")' "actual-size after-compact after-flatten after-merge \
chain-actual-size chain-union file-length filename used virtual-size"
json_is '."virtual-size"' 10485760
json_is .used 8192
json_is '."chain-union"' $((2 * 2048 * 1024 + 150 * 512 + 4096))
flat=$(json '."after-flatten"')
merged=$(json '."after-merge"')

vhdtool 0 convert leaf.vhd flat.vhd
equal "length of one image of all" "$flat" "$(stat -c %s flat.vhd)"
vhdtool 0 merge leaf.vhd
equal "length after the merge" "$merged" "$(stat -c %s leaf.vhd)"
vhdtool 0 measure --json base.vhd
json_is '."after-merge"' null

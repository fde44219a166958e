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

# Headers that another program laid out, and old footers, are not counted.
about() # WHAT EXPECTED GOT
{
	[ $(($2 - $3)) -le 65536 ] && [ $(($3 - $2)) -le 65536 ] ||
		fail "$1" "about $2" "$3"
}

vhdtool 0 convert leaf.vhd flat.vhd
about "length of one image of all" "$flat" "$(stat -c %s flat.vhd)"
vhdtool 0 merge leaf.vhd
about "length after the merge" "$merged" "$(stat -c %s leaf.vhd)"
vhdtool 0 measure --json base.vhd
json_is '."after-merge"' null

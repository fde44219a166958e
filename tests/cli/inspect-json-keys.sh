#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "inspect --json has the keys that are promised, with --chain leaf first"
requires jq
chain

keys='actual-size alignment block-size blocks-allocated blocks-total created
creator-app creator-os creator-version file-length filename footer-copies
format full-parent-filename geometry in-use locators parent-filename
parent-status parent-uuid saved-state type uuid virtual-size'
keys=$(echo $keys)

vhdtool 0 inspect --json leaf.vhd
json_is 'keys | join(" ")' "$keys"
json_is .filename leaf.vhd
json_is '.locators[0] | keys | join(" ")' "path platform"
json_is '.geometry | length' 3
json_is '."in-use"' null
json_is '."parent-filename"' mid.vhd
vhdtool 0 inspect --json base.vhd
json_is 'keys | join(" ")' "$keys"
json_is '[."parent-uuid", ."parent-filename", ."full-parent-filename"] | @json' \
    '[null,null,null]'
json_is '."parent-status"' none
vhdtool 0 inspect --json --chain leaf.vhd
json_is 'map(.filename | split("/") | last) | join(" ")' \
    "leaf.vhd mid.vhd base.vhd"
json_is 'map(keys | join(" ")) | unique | join("; ")' "$keys"
for alias in info query; do
	vhdtool 0 $alias --json base.vhd
	json_is .type dynamic
done

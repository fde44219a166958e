#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "merge leaves the child's state at its path, and the parent's path is gone"
requires jq
chain
want=$(content leaf.vhd)

vhdtool 0 merge leaf.vhd
stdout_is ""
equal "files" "base.vhd leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"
vhdtool 0 check --chain leaf.vhd
vhdtool 0 inspect --json --chain leaf.vhd
json_is 'map(.filename | split("/") | last) | join(" ")' "leaf.vhd base.vhd"

vhdtool 0 coalesce leaf.vhd
equal "files" "leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"
vhdtool 0 inspect --json leaf.vhd
json_is .type dynamic

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "tree draws children below parents; orphans and bad files come last"
requires jq
chain
vhdtool 0 create --parent base.vhd clone.vhd
vhdtool 0 create tmp.vhd 1M
vhdtool 0 create --parent tmp.vhd orphan.vhd
rm tmp.vhd
head -c 4096 base.vhd | tr c x >broken.vhd
vhdtool 0 tree . broken.vhd
stdout_has '^base\.vhd  '
stdout_has '^├── mid\.vhd  |^└── mid\.vhd  '
stdout_has '^(│  |   ) └── leaf\.vhd .* live$'
stdout_has '^(├──|└──) clone\.vhd .* live$'
stdout_has '^orphan\.vhd .* live, parent not found: tmp\.vhd$'
stdout_has '^broken\.vhd .* cannot be read: '

vhdtool 0 scan --json .
json_is 'map(select(.filename | endswith("/leaf.vhd")))[0] |
    keys | join(" ")' "actual-size created depth duplicate error \
file-length filename hidden live merging name orphan parent parent-name parent-uuid \
raw-parent type uuid virtual-size"
json_is 'map(select(.filename | endswith("/leaf.vhd")))[0] |
    [.depth, .live, (.parent | split("/") | last)] | @csv' '2,true,"mid.vhd"'
json_is 'map(select(.orphan)) | length' 1
vhdtool 0 tree mid.vhd
stdout_has 'leaf\.vhd'
equal "$last: another tree" "" "$(grep -e orphan -e broken "$out")"
mkdir empty
vhdtool 0 tree empty
stdout_is "There is no image."

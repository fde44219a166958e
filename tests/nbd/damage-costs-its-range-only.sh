#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a damaged block gives an input/output error, and other ranges none"
printf '%s\n' 'type dynamic' 'size 10M' 'block 0 = pattern 1' \
    'block 1 = pattern 1' 'block 2 = pattern 1' \
    'bat-entry 1 0x7ffffff0' | image base.vhd
printf '%s\n' 'type differencing' 'size 10M' 'parent base.vhd' \
    'block 3 = pattern 2' | image leaf.vhd
serve "$PLUGIN" leaf.vhd

io_fails "Input/output error" "$uri" "read 2M 512" "read 4194303 1" \
    "read 2097000 512"
log_has "base.vhd: block 1 is said to be at byte"
io "$uri" "read 0 2M" "read 4M 6M" "write -P 1 1M 512" "write -P 1 8M 64k"
run 0 nbdinfo --map --json "$uri"
json_is 'map([.offset, .length, .type]) | map(@csv) | join(" ")' \
    '0,8454144,0 8454144,2031616,3'

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "zeroing gives space back where the client allows it"
vhdtool 0 create disk.vhd 64M
serve "$PLUGIN" disk.vhd
io "$uri" "write -P 1 0 32M" flush
full=$(stat -c %b disk.vhd)
io "$uri" "write -zu 4M 24M" flush "read -P 0 4M 24M" "read -P 1 0 4M" \
    "read -P 1 28M 4M"
run 0 nbdinfo --map --json "$uri"
json_is 'map([.offset, .length, .type]) | map(@csv) | join(" ")' \
    '0,4194304,0 4194304,25165824,3 29360128,4194304,0 33554432,33554432,3'
stop
less=$(($(stat -c %b disk.vhd) - full))
[ $less -le $((-24 * 2048 + 64)) ] ||
	fail "space after zeroing 24 MiB" "24 MiB less" \
	    "$((less / 2)) KiB more"
sound disk.vhd

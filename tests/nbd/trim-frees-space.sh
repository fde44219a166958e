#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "trimmed blocks go back to the file system, and read as zero"
vhdtool 0 create disk.vhd 64M
serve "$PLUGIN" disk.vhd
io "$uri" "write -P 1 0 32M" flush
full=$(stat -c %b disk.vhd)
io "$uri" "discard 4M 24M" flush "read -P 0 4M 24M" "read -P 1 0 4M" \
    "read -P 1 28M 4M"
stop
less=$(($(stat -c %b disk.vhd) - full))
[ $less -le $((-24 * 2048 + 64)) ] ||
	fail "space after a trim of 24 MiB" "24 MiB less" \
	    "$((less / 2)) KiB more"
sound disk.vhd

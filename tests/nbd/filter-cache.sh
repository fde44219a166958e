#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the cache filter works, and a flush through it reaches the image"
vhdtool 0 create disk.vhd 16M
serve --filter=cache "$PLUGIN" disk.vhd cache=unsafe
io "$uri" "write -P 6 1M 1M" "read -P 6 1M 1M"
stop
serve --filter=cache "$PLUGIN" disk.vhd
io "$uri" "write -P 7 1M 1M" flush "read -P 7 1M 1M"
kill_server
serve "$PLUGIN" disk.vhd
io "$uri" "read -P 7 1M 1M"
stop
sound disk.vhd

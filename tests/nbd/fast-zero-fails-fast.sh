#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a fast zero that would have to write is refused, and changes nothing"
vhdtool 0 create disk.vhd 16M
serve "$PLUGIN" disk.vhd
io "$uri" "write -P 5 0 4M" flush
io_fails "not supported" "$uri" "write -zn 4096 4096"
io "$uri" "read -P 5 0 4M" "write -zn 8M 2M" "read -P 0 8M 2M"
stop

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "errors that the error filter injects reach the client, and no other"
vhdtool 0 create disk.vhd 16M
serve --filter=error "$PLUGIN" disk.vhd error=ENOSPC \
    error-file="$place/trigger" error-pwrite-rate=100%
io "$uri" "write -P 1 0 64k"
: >"$place/trigger"
io_fails "No space left" "$uri" "write -P 2 0 64k"
io "$uri" "read -P 1 0 64k"
rm "$place/trigger"
io "$uri" "write -P 3 0 64k" flush "read -P 3 0 64k"
end_server
server=
sound disk.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a flush by one client makes the writes of another durable"
vhdtool 0 create disk.vhd 16M
serve "$PLUGIN" disk.vhd

run 0 nbdinfo --json "$uri"
json_is '.exports[0].can_multi_conn' true
client_start "$uri"
client_does "write -P 9 5M 4k"
io "$uri" flush
kill_server
client_kill
serve "$PLUGIN" disk.vhd
io "$uri" "read -P 9 5M 4k"
stop

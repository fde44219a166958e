#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a write with FUA is there after kill -9, without any flush"
chain
serve "$PLUGIN" leaf.vhd
client_start "$uri"
client_does "write -f -P 31 8M 4k" "write -f -P 32 1k 512" \
    "write -f -P 33 6000000 100"
kill_server
client_kill

sound leaf.vhd
serve "$PLUGIN" leaf.vhd
io "$uri" "read -P 31 8M 4k" "read -P 32 1k 512" "read -P 33 6000000 100"
stop

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what was flushed is there after kill -9, on a chain too"
chain
vhdtool 0 create new.vhd 10M
for disk in leaf.vhd new.vhd; do
	serve "$PLUGIN" $disk
	client_start "$uri"
	client_does "write -P 21 0 4k" "write -P 22 6M 2M" "write -z 2M 8k" \
	    flush "write -P 23 100k 512"
	kill_server
	client_kill

	sound $disk
	serve "$PLUGIN" $disk
	io "$uri" "read -P 21 0 4k" "read -P 22 6M 2M" "read -P 0 2M 8k"
	stop
done

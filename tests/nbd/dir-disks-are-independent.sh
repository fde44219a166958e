#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "several disks in one server are independent of each other"
for i in 1 2 3; do
	vhdtool 0 create disk$i.vhd 16M
done
serve "$PLUGIN" dir=.
for i in 1 2 3; do
	timeout 60 qemu-io -f raw -c "write -P $i 0 16M" -c flush \
	    "$(export_uri disk$i.vhd)" >"$place/io$i" 2>&1 &
	clients[i]=$!
done
for i in 1 2 3; do
	wait "${clients[i]}" || fail "disk $i" "exit 0" "$(cat "$place/io$i")"
done
rm disk2.vhd
for i in 1 3; do
	io "$(export_uri disk$i.vhd)" "read -P $i 0 16M"
done
stop
sound disk1.vhd
sound disk3.vhd

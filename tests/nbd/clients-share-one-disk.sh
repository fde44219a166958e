#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "clients at the same time share one disk: what one writes all read"
requires fio
vhdtool 0 create disk.vhd 64M
serve "$PLUGIN" disk.vhd

for i in 0 1 2 3; do
	fio --name=c$i --ioengine=nbd --uri="$uri" --rw=randwrite --bs=4k \
	    --offset=$((i * 16))M --size=4M --iodepth=8 --verify=crc32c \
	    --do_verify=0 --verify_state_save=0 >"$place/fio$i" 2>&1 &
	clients[i]=$!
done
for i in 0 1 2 3; do
	wait "${clients[i]}" ||
		fail "client $i" "exit 0" "$(cat "$place/fio$i")"
done
for i in 0 1 2 3; do
	run 0 fio --name=c$i --ioengine=nbd --uri="$uri" --rw=randwrite \
	    --bs=4k --offset=$((i * 16))M --size=4M --iodepth=8 \
	    --verify=crc32c --verify_only --verify_state_save=0
done
stop
sound disk.vhd

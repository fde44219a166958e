#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "SIGTERM under load ends the server in order: nothing is left to repair"
requires fio
chain
vhdtool 0 create disk.vhd 256M
for disk in disk.vhd leaf.vhd; do
	serve "$PLUGIN" $disk
	fio --name=load --ioengine=nbd --uri="$uri" --rw=randrw --bs=4k-64k \
	    --iodepth=16 --time_based --runtime=60 >"$place/fio" 2>&1 &
	client=$!
	sleep 1
	kill -0 $client || fail "the load" "is there" "$(cat "$place/fio")"
	stop
	wait $client
	sound $disk
	vhdtool 0 inspect --json $disk
	json_is '."footer-copies"' equal
done

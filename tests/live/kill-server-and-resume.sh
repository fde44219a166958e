#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a server killed in a merge carries on with autoresume=true, content exact"
cycles=3
[ -z "${VHD_LONG-}" ] || cycles=30
vhdtool 0 create base.vhd 64M
fill base.vhd 1 0 24
cp base.vhd first.vhd
for ((i = 0; i < cycles; i++)); do
	rm -f disk.vhd base.vhd
	cp first.vhd base.vhd
	vhdtool 0 create --parent base.vhd disk.vhd
	fill disk.vhd 2 12 $((24 + i % 3))
	serve "$PLUGIN" disk.vhd
	want=$(read_all)
	start_job merge --rate 24M disk.vhd
	await "the merge moves" moves
	sleep "0.$((RANDOM % 9))"
	kill_server
	wait "$job"
	status=$?
	[ $status -ne 0 ] || equal "files" disk.vhd "$(ls | grep -v first)"

	serve "$PLUGIN" disk.vhd autoresume=true
	equal "the disk after the kill" "$want" "$(read_all)"
	io "$uri" "write -q -P 9 60M 64k" "flush"
	want=$(read_all)
	[ -e "$(echo ./*@.merging*)" ] &&
		await "the merge ends" job_is status concluded
	equal "files" "disk.vhd first.vhd" "$(echo *)"
	equal "the disk after the merge" "$want" "$(read_all)"
	stop
	sound disk.vhd
done

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdfuse killed in a merge carries on with -o autoresume, or when asked to"
[ -n "${VHDFUSE-}" ] && [ -w /dev/fuse ] || skip "no vhdfuse, or no /dev/fuse"
requires fusermount3
mkdir "$place/m"
trap 'leave; end_server; rm -rf "$place"' EXIT

enter() # OPTION...
{
	"$VHDFUSE" -f "$@" disk.vhd "$place/m" 2>"$place/log" &
	server=$!
	await "the disk is mounted" test -e "$place/m/disk"
}

leave()
{
	fusermount3 -q -u -z "$place/m" 2>/dev/null
}

content_of_mount()
{
	sha256sum <"$place/m/disk"
}

for way in autoresume asked; do
	rm -f ./*.vhd
	two_layers 32
	enter
	want=$(content_of_mount)
	start_job merge --rate 8M disk.vhd
	await "the merge moves" moves
	vhdtool 0 inspect disk.vhd
	stdout_has "^job: +merge, running"
	head -c 1M /dev/urandom | dd of="$place/m/disk" bs=64k seek=100 \
	    conv=notrunc,fsync status=none || fail "dd" "success" "$?"
	want=$(content_of_mount)
	kill_server
	wait "$job"
	leave
	[ -e "$(echo ./*@.merging*)" ] || fail "files" "a merge begun" "$(echo *)"
	if [ $way = autoresume ]; then
		enter -o autoresume
		equal "the disk after the kill" "$want" "$(content_of_mount)"
		await "the merge ends" job_is status concluded
	else
		enter
		equal "the disk after the kill" "$want" "$(content_of_mount)"
		vhdtool 0 merge disk.vhd
	fi
	equal "files" disk.vhd "$(echo *)"
	equal "the disk" "$want" "$(content_of_mount)"
	vhdtool 5 snapshot revert disk.vhd one
	vhdtool 0 umount "$place/m"
	wait "$server"
	server=
	sound disk.vhd
done

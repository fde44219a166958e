#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "kill -9 of vhdfuse loses nothing that was synced, and fsck is content"
requires_fuse
requires_loop
requires mkfs.ext4 fsck.ext4
vhdtool 0 create disk.vhd 256M
noise 5 1 >noise

for round in 1 2 3; do
	serve disk.vhd
	attach m/disk
	[ $round = 1 ] && mkfs.ext4 -q -F "$loop"
	mounted "$loop" fs
	cp noise fs/synced-$round
	sync fs/synced-$round
	sync -f fs
	cp noise fs/later-$round &
	writer=$!
	sleep 0.1
	killed
	wait $writer 2>/dev/null
	umount -l fs 2>/dev/null
	mounts=()
	fusermount3 -u -z m
	for _ in $(seq 100); do
		losetup -d "$loop" 2>/dev/null
		losetup "$loop" >/dev/null 2>&1 || break
		sleep 0.05
	done
	loops=()

	vhdtool 0 check disk.vhd
	serve disk.vhd
	attach m/disk
	fsck.ext4 -p "$loop" >log 2>&1 # replays the journal
	[ $? -le 1 ] || fail "fsck -p, round $round" "exit 0 or 1" "$(cat log)"
	fsck.ext4 -fn "$loop" >log 2>&1 ||
		fail "fsck -fn, round $round" "exit 0" "$(cat log)"
	mounted "$loop" fs -o ro
	for i in $(seq $round); do
		equal "synced-$i after $round" "$(hash_of noise)" \
		    "$(hash_of fs/synced-$i)"
	done
	unmounted fs
	detach
	unserve
done
no_findings disk.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "ext4, XFS and NTFS on a loop device on a partition survive an unmount"
requires_fuse
requires_loop
requires sfdisk jq
noise 5 1 >noise

fill() # DIR
{
	cp noise "$1/a"
	mkdir -p "$1/dir"
	for i in $(seq 50); do
		echo "$i" >"$1/dir/$i"
	done
	rm "$1/dir/25"
	sync "$1/a"
}

one() # TYPE MAKE CHECK [MOUNT]
{
	local type=$1 make=$2 check=$3 mount=${4-mount}

	command -v "${make%% *}" >/dev/null && command -v "${check%% *}" \
	    >/dev/null || { echo "no ${make%% *}"; return; }
	rm -f disk.vhd
	vhdtool 0 create disk.vhd 1G
	serve disk.vhd
	printf 'label: gpt\nstart=2048\n' | sfdisk -q --no-reread m/disk \
	    >/dev/null
	attach m/p1
	$make "$loop" >log 2>&1 || fail "$make" "exit 0" "$(tail -3 log)"
	mkdir -p fs
	if [ "$mount" = mount ] && ! grep -qw "$type" /proc/filesystems &&
	    ! modprobe -q "$type"; then
		echo "the kernel has no $type"
	else
		$mount "$loop" fs >log 2>&1 ||
			fail "$mount" "exit 0" "$(tail -3 log)"
		mounts+=(fs)
		fill fs
		if [ "$type" = ext4 ]; then
			rm fs/a && fstrim fs && cp noise fs/a
		fi
		unmounted fs
	fi
	$check "$loop" >log 2>&1 || fail "$check" "exit 0" "$(tail -3 log)"
	[ "$mount" = mount ] && grep -qw "$type" /proc/filesystems && {
		mounted "$loop" fs -o ro
		equal "$type: content" "$(hash_of noise)" "$(hash_of fs/a)"
		equal "$type: files" 49 "$(ls fs/dir | wc -l)"
		unmounted fs
	}
	detach
	unserve
	no_findings disk.vhd
	done_types="${done_types-} $type"
}
one ext4 "mkfs.ext4 -q -F" "fsck.ext4 -fn"
one xfs "mkfs.xfs -q -f" "xfs_repair -n"
one ntfs "mkfs.ntfs -q -F -f" "ntfsfix -n" ntfs-3g
[ -n "${done_types-}" ] || skip "no mkfs"

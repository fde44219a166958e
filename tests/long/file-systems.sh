#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# file-systems.sh KILL_LOOP VHDTOOL [KILLS] - on ext4, xfs and btrfs, each on a
# loop device: a process at work on a disk is killed again and again; and when
# the file system is full, nothing is lost, and what failed is completed once
# there is space.  Needs root and loop devices, or is skipped (77).
set -euo pipefail
kill_loop=$1 vhdtool=$2 kills=${3:-40}

skip()
{
	echo "skipped: $1"
	exit 77
}

[ "$(id -u)" = 0 ] || skip 'needs root'
losetup -f >/dev/null 2>&1 || skip 'needs loop devices'
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vhd-fs-XXXXXX")
clean_up()
{
	umount "$scratch/mnt" 2>/dev/null || true
	rm -rf "$scratch"
}
trap clean_up EXIT
mkdir "$scratch/mnt"

content()
{
	"$vhdtool" convert -O raw "$1" - | sha256sum
}

# A copy, a snapshot and a merge on a file system that is full.
full()
{
	local d=$scratch/mnt disk=$scratch/mnt/disk.vhd sum
	head -c 24M /dev/urandom >"$scratch/raw"
	truncate -s 64M "$scratch/raw"
	"$vhdtool" convert -f raw "$scratch/raw" "$disk"
	"$vhdtool" create --parent "$disk" "$d/child.vhd"
	sum=$(content "$disk")
	dd if=/dev/zero of="$d/ballast" bs=1M 2>/dev/null || true
	dd if=/dev/zero of="$d/crumbs" bs=4k 2>/dev/null || true
	sync -f "$d"
	if "$vhdtool" convert "$disk" "$d/copy.vhd"; then
		echo "a copy fits on a full file system"
		return 1
	fi
	[ ! -e "$d/copy.vhd" ] || { echo "half a copy is left"; return 1; }
	"$vhdtool" snapshot create "$d/child.vhd" full || true
	"$vhdtool" merge "$d/child.vhd" || true
	rm "$d/ballast" "$d/crumbs"
	sync -f "$d"
	"$vhdtool" check "$d/child.vhd"
	[ "$(content "$d/child.vhd")" = "$sum" ] ||
		{ echo "a full file system changed a disk"; return 1; }
	"$vhdtool" convert "$d/child.vhd" "$d/copy.vhd"
	"$vhdtool" check "$d/copy.vhd"
}

# A small btrfs otherwise keeps what it once had for metadata.
declare -A options=([btrfs]=--mixed)
for fs in ext4 xfs btrfs; do
	command -v mkfs.$fs >/dev/null || { echo "$fs: no mkfs"; continue; }
	grep -qw $fs /proc/filesystems || { echo "$fs: not in the kernel"; continue; }
	rm -f "$scratch/image"
	truncate -s 320M "$scratch/image"
	mkfs.$fs -q ${options[$fs]-} "$scratch/image" >/dev/null
	mount -o loop "$scratch/image" "$scratch/mnt"
	echo "$fs: $("$kill_loop" --dir "$scratch/mnt" --kills "$kills")"
	full >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
	echo "$fs: nothing lost when full"
	umount "$scratch/mnt"
done

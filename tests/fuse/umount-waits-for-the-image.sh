#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdtool mount and umount: afterwards the image is free and complete"
requires_fuse
export VHD_FUSE=$VHDFUSE
vhdtool 0 create disk.vhd 10M
mkdir m "a, b"
for round in 1 2 3; do
	vhdtool 0 mount disk.vhd m
	noise 4 $round | dd of=m/disk bs=1M seek=$round conv=notrunc status=none
	want=$(hash_of m/disk)
	vhdtool 0 umount m
	no_findings disk.vhd
	equal "round $round" "$want" "$(content disk.vhd)"
done
vhdtool 0 mount -r -o cache=on --search "a, b" disk.vhd m
equal "read-only" 400 "$(stat -c %a m/disk)"
vhdtool 0 umount "$PWD/m/"
vhdtool 1 umount m
stderr_has "m: no disk is mounted there"
vhdtool 6 mount --search "a, b" "$(
	printf '%s\n' 'type dynamic' 'size 1M' | image "a, b/base.vhd"
	"$VHDTOOL" create --parent "a, b/base.vhd" child.vhd
	mv "a, b" "c, d"
	mkdir "a, b"
	echo child.vhd)" m
vhdtool 0 mount --search "c, d" child.vhd m
vhdtool 0 umount m
VHD_FUSE=/absent vhdtool 1 mount disk.vhd m
stderr_has "cannot run /absent"

# The list of mounts has some characters of a name as numbers.
for name in 'a#b' 'a b' 'a\b' 'a\043b' $'a\nb' 'ü'; do
	vhdtool 0 create "$name.vhd" 10M
	for round in 1 2 3 4; do
		vhdtool 0 mount "$name.vhd" m
		noise 1 "$round" | dd of=m/disk bs=1M conv=notrunc status=none
		vhdtool 0 umount m
		vhdtool 0 compact "$name.vhd"
	done
done

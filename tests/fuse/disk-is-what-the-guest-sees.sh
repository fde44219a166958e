#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "DIR/disk reads as the guest does, and what is written there is kept"
requires_fuse
chain
vhdtool 0 convert -O raw leaf.vhd want.img

serve leaf.vhd
equal "size" "$(stat -c %s want.img)" "$(stat -c %s m/disk)"
equal "content" "$(hash_of want.img)" "$(hash_of m/disk)"
noise 3 1 >noise
for at in 0 1000 2097151 5000000; do
	for file in want.img m/disk; do
		dd if=noise of=$file bs=64K oflag=seek_bytes seek=$at \
		    conv=notrunc status=none || fail "dd" "exit 0" "exit $?"
	done
done
equal "content after writes" "$(hash_of want.img)" "$(hash_of m/disk)"
unserve
equal "content of the image" "$(hash_of want.img)" "$(content leaf.vhd)"
no_findings leaf.vhd

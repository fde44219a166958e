#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "-o ro refuses writes and changes no byte of any image"
requires_fuse
chain
before=$(state base.vhd mid.vhd leaf.vhd)

serve -o ro leaf.vhd
equal "content" "$(content leaf.vhd)" "$(hash_of m/disk)"
equal "permissions" "400" "$(stat -c %a m/disk)"
for command in "dd if=/dev/zero of=m/disk count=1 conv=notrunc" \
    "fallocate -p -l 1M m/disk" "truncate -s 1M m/disk"; do
	message=$($command 2>&1) && fail "$command" "an error" "exit 0"
	[[ $message == *"Read-only file system"* ]] ||
		fail "$command" "Read-only file system" "$message"
done
mkdir n
vhdfuse 0 -o ro leaf.vhd n
equal "a second reader" "$(hash_of m/disk)" "$(hash_of n/disk)"
fusermount3 -u n
unserve
equal "the images" "$before" "$(state base.vhd mid.vhd leaf.vhd)"

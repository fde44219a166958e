#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "nothing changes a name or a size, O_TRUNC included"
requires_fuse
vhdtool 0 create disk.vhd 20M

serve disk.vhd
noise 1 1 | dd of=m/disk conv=notrunc status=none
before=$(hash_of m/disk)
for command in "truncate -s 1M m/disk" "truncate -s 30M m/disk" \
    "dd if=/dev/zero of=m/disk count=1" "cp /dev/null m/disk" \
    "touch m/new" "mkdir m/new" "mv m/disk m/new" "rm -f m/disk" \
    "rmdir m/snapshots" "chmod 777 m/disk" "ln m/disk m/new"; do
	$command 2>/dev/null </dev/null && fail "$command" "an error" "exit 0"
done
truncate -s 20M m/disk || fail "truncate to the same size" "exit 0" "exit $?"
equal "names" "disk snapshots" "$(echo $(ls m))"
equal "size" $((20 << 20)) "$(stat -c %s m/disk)"
equal "content" "$before" "$(hash_of m/disk)"
printf x | dd of=m/disk bs=1 seek=20M conv=notrunc 2>/dev/null &&
	fail "a write at the end" "an error" "exit 0"
printf xyz | dd of=m/disk bs=3 oflag=seek_bytes seek=$(((20 << 20) - 1)) \
    conv=notrunc 2>/dev/null
equal "the last byte" x "$(tail -c 1 m/disk)"
unserve

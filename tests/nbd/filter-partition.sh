#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the partition filter serves one partition of a disk"
requires sfdisk
vhdtool 0 create disk.vhd 16M
truncate -s 16M raw
printf 'label: gpt\nsize=4MiB\nsize=6MiB\n' | sfdisk -q raw >"$err" 2>&1 ||
	fail "sfdisk" "a partitioned file" "$(cat "$err")"
nbdkit 0 -U - "$PLUGIN" disk.vhd --run 'nbdcopy raw "$uri"'
serve --filter=partition "$PLUGIN" disk.vhd partition=2
run 0 nbdinfo --size "$uri"
stdout_is $((6 << 20))
io "$uri" "write -P 8 0 6M" flush
stop
nbdkit 0 -U - "$PLUGIN" disk.vhd --run '
    qemu-io -f raw -c "read -P 8 5M 6M" -c "read -P 0 1M 4M" "$uri"'

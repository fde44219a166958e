#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdfuse mounts, and says so, where its standard descriptors are closed"
requires_fuse
vhdtool 0 create disk.vhd 10M
mkdir m
last="vhdfuse without descriptors"
"$VHDFUSE" disk.vhd m <&- >&- 2>&-
equal "$last: exit" 0 $?
noise 1 1 | dd of=m/disk conv=notrunc,fsync status=none
want=$(hash_of m/disk)
fusermount3 -u m
for _ in $(seq 100); do
	vhdtool 0 inspect disk.vhd
	grep -q '^in use: *no' "$out" && break
	sleep 0.05
done
equal "$last: the disk" "$want" "$(content disk.vhd)"
"$VHDFUSE" absent.vhd m <&- >&- 2>&-
equal "$last, and no disk: exit" 1 $?

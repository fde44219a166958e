#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "partitions of a GPT have Linux's numbers and places, in either copy"
requires_fuse
requires sfdisk jq
vhdtool 0 create disk.vhd 100M
names()
{
	echo $(ls m)
}

serve disk.vhd
printf '%s\n' 'label: gpt' 'size=10M' 'size=20M' 'size=30M' |
    sfdisk --no-reread -q m/disk >/dev/null || fail sfdisk "exit 0" "exit $?"
sfdisk -q --no-reread --delete m/disk 2 >/dev/null
equal "names" "disk p1 p3 snapshots" "$(names)"
start=$(sfdisk -J m/disk | jq '.partitiontable.partitions[1].start')
noise 1 1 | dd of=m/disk bs=512 seek="$start" conv=notrunc status=none
equal "p3: bytes" $((30 << 20)) "$(stat -c %s m/p3)"
equal "p3: content" "$(noise 1 1 | sha256sum)" \
    "$(head -c 1M m/p3 | sha256sum)"
unserve

# The first copy is damaged: the second one is used, and somebody is told.
serve disk.vhd
printf x | dd of=m/disk bs=1 seek=$((512 + 60)) conv=notrunc status=none
equal "names, first copy bad" "disk p1 p3 snapshots" "$(names)"
printf x | dd of=m/disk bs=1 seek=$(((100 << 20) - 512 + 60)) conv=notrunc \
    status=none
equal "names, both copies bad" "disk snapshots" "$(names)"
fusermount3 -u m
wait "$server"
server=
stderr_has "first copy of the GPT is damaged"
stderr_has "both copies of the GPT are damaged"

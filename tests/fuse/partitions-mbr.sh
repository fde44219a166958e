#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "primary and logical partitions of an MBR have Linux's numbers and places"
requires_fuse
requires sfdisk jq
vhdtool 0 create disk.vhd 200M

serve disk.vhd
equal "no table" "disk snapshots" "$(echo $(ls m))"
printf '%s\n' 'label: dos' 'size=10M, type=83' 'size=20M, type=7' \
    'size=100M, type=f' 'size=5M, type=c' 'size=30M, type=83' \
    'size=20M, type=82' | sfdisk --no-reread -q m/disk >/dev/null ||
	fail sfdisk "exit 0" "exit $?"
equal "names" "disk p1 p2 p4 p5 p6 snapshots" "$(echo $(ls m))"
sfdisk -J m/disk | jq -r '.partitiontable.partitions[] |
    select(.type != "f") | "\(.node) \(.start) \(.size)"' >table
equal "rows" 5 "$(wc -l <table)"
n=0
while read -r node start sectors; do
	file=m/p${node#m/disk}
	n=$((n + 1))
	noise 1 $n | dd of=$file bs=1M seek=1 conv=notrunc status=none
	dd if=m/disk bs=512 skip=$((start + 2048)) count=2048 status=none >got
	equal "$file: bytes" $((sectors * 512)) "$(stat -c %s "$file")"
	equal "$file: content" "$(noise 1 $n | sha256sum)" "$(sha256sum <got)"
done <table
unserve
no_findings disk.vhd

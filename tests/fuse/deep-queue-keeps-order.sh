#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "fio verifies what it wrote with sixteen requests in flight"
requires_fuse
requires fio
vhdtool 0 create disk.vhd 64M
printf '%s\n' 'type dynamic' 'size 64M' 'block 0 = pattern 1' \
    'block 3 bits 0-99 = pattern 2' | image base.vhd
vhdtool 0 create --parent base.vhd child.vhd

for disk in disk.vhd child.vhd; do
	for cache in off on; do
		serve -o cache=$cache $disk
		fio --name=verify --filename=m/disk --ioengine=libaio \
		    --iodepth=16 --direct=1 --rw=randwrite --size=64M \
		    --bsrange=512-128k --bs_unaligned=0 --verify=crc32c \
		    --randseed=7 --io_size=48M --verify_fatal=1 \
		    --output=log >/dev/null 2>&1 ||
			fail "fio on $disk, cache=$cache" "exit 0" \
			    "$(tail -5 log)"
		unserve
		no_findings $disk
	done
done

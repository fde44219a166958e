#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a merge takes less than 64 MiB more at its peak, into new blocks as well"
taken()
{
	du -k --total ./*.vhd 2>/dev/null | tail -n 1 | cut -f 1
}

# A child with 192 MiB from 64 MiB on is merged into base.vhd.
merge_live()
{
	vhdtool 0 create --parent base.vhd disk.vhd
	fill disk.vhd 2 64 192
	serve "$PLUGIN" disk.vhd
	want=$(read_all)
	sync -f .
	before=$(taken) peak=0
	start_job merge --rate 100M disk.vhd
	while kill -0 "$job" 2>/dev/null; do
		now=$(taken)
		[ "$now" -gt "$peak" ] && peak=$now
		sleep 0.05
	done
	job_ends 0
	[ $((peak - before)) -lt 65536 ] ||
		fail "extra space at the peak" "less than 65536 KiB" \
		    "$((peak - before)) KiB"
	equal "the disk" "$want" "$(read_all)"
	stop
	sound disk.vhd
}

vhdtool 0 create base.vhd 384M
fill base.vhd 1 0 384
merge_live
[ "$(taken)" -lt $((before - 180000)) ] ||
	fail "space after the merge" "the child's is given back" "$(taken) KiB"

rm disk.vhd
vhdtool 0 create base.vhd 384M
merge_live
[ "$(taken)" -lt $((before + 1024)) ] ||
	fail "space after the merge" "what the child had" "$(taken) KiB"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "fio verifies random writes of all sizes at depth 16, on a chain too"
requires fio
: "${VHD_SECONDS:=4}"
vhdtool 0 create base.vhd 256M
for disk in base.vhd child.vhd; do
	[ -e $disk ] || vhdtool 0 create --parent base.vhd $disk
	serve "$PLUGIN" $disk
	run_seconds=$((VHD_SECONDS / 2))
	timeout $((VHD_SECONDS * 4 + 60)) fio --name=x --ioengine=nbd \
	    --uri="$uri" --rw=randwrite --bsrange=512-128k --blockalign=512 \
	    --iodepth=16 --verify=crc32c --verify_backlog=1024 \
	    --verify_fatal=1 --verify_state_save=0 --time_based \
	    --runtime=$run_seconds --fsync=500 >"$out" 2>&1 ||
		fail "fio on $disk" "exit 0" "$(tail -n 20 "$out")"
	stop
	sound $disk
done

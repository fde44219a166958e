#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "three writers verify every byte while merges, snapshots and compactions run"
seconds=20
[ -z "${VHD_LONG-}" ] || seconds=600
vhdtool 0 create --block-size 512K base.vhd 192M
fill base.vhd 1 0 192
vhdtool 0 create --parent base.vhd disk.vhd
serve "$PLUGIN" disk.vhd

# One that trims, one that flushes often, one of whatever size.
timeout $((seconds + 240)) fio --ioengine=nbd --uri="$uri" --iodepth=8 \
    --rw=randwrite --blockalign=512 --bsrange=512-96k --time_based \
    --runtime=$seconds --verify=crc32c --verify_backlog=512 --verify_fatal=1 \
    --verify_state_save=0 --size=60M --rate=,40M \
    --name=a --offset=0 --fsync=32 \
    --name=b --offset=64M --fsync=500 --rw=randwrite \
    --name=c --offset=128M --bs=4k >"$place/fio" 2>&1 &
fio=$!
rounds=0
while kill -0 $fio 2>/dev/null; do
	take_snapshot "a$rounds"
	sleep 0.3
	take_snapshot "b$rounds"
	sleep 0.3
	vhdtool 0 compact disk.vhd
	vhdtool 0 merge "disk@b$rounds.vhd"
	vhdtool 0 merge disk.vhd
	[ $rounds != 1 ] || vhdtool 0 merge disk.vhd
	vhdtool 0 compact --mode repack disk.vhd
	rounds=$((rounds + 1))
done
wait $fio || fail "fio" "exit 0" "$(tail -n 30 "$place/fio")"
[ $rounds -gt 1 ] || fail "rounds of jobs" "2 or more" $rounds
want=$(read_all)
stop
for file in *.vhd; do
	sound "$file"
done
equal "the disk at rest" "$want" "$(content disk.vhd)"

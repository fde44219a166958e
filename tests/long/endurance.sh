#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# endurance.sh - clients verify every byte for minutes while snapshots, merges,
# deletions and compactions of their disk run in a loop; between rounds the
# disk is checked, and reverted, at rest.
#
#	bash tests/long/endurance.sh BUILD_DIR nbd|fuse [MINUTES]
#
# nbd: three clients of the nbdkit plugin.  fuse: three writers on an ext4 in a
# loop device on the mounted disk; needs root.  10 minutes unless told.
build=$(cd "${1:?usage: endurance.sh BUILD_DIR nbd|fuse [MINUTES]}" && pwd)
how=${2:?nbd or fuse}
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
VHDTOOL=$build/vhdtool/vhdtool
PLUGIN=$build/nbdkit-plugin/nbdkit-vhd-plugin.so
VHDFUSE=$build/fuse/vhdfuse
. "$SOURCE/tests/live/functions.sh"
claim "no byte is lost beside jobs, through $how"
end=$((SECONDS + ${3:-10} * 60))
round_seconds=60
rounds=0 jobs=0 requests=0 loop=

clean_up()
{
	[ -z "${fio-}" ] || kill "$fio" 2>/dev/null
	umount "$place/fs" 2>/dev/null
	[ -z "$loop" ] || losetup -d "$loop"
	mountpoint -q "$place/m" && fusermount3 -u -z "$place/m"
	end_server
	cd / && rm -rf "$place"
}
trap clean_up EXIT
mkdir "$place/m" "$place/fs"

# ---- The two ways to a disk ----

nbd_up()
{
	serve "$PLUGIN" disk.vhd
}

nbd_down()
{
	stop
}

nbd_fio() # SECONDS
{
	fio --ioengine=nbd --uri="$uri" --iodepth=8 --rw=randwrite \
	    --blockalign=512 --bsrange=512-96k --size=60M \
	    --time_based --runtime="$1" --verify=crc32c --verify_backlog=512 \
	    --verify_fatal=1 --verify_state_save=0 --rate=,20M \
	    --output-format=json --name=a --offset=0 --fsync=32 \
	    --name=b --offset=64M --fsync=500 \
	    --name=c --offset=128M --bs=4k --rw=randtrimwrite
}

fuse_up()
{
	run 0 "$VHDFUSE" disk.vhd "$place/m"
	loop=$(losetup -f --show "$place/m/disk") || fail losetup "a loop" none
	[ $rounds -gt 0 ] || mkfs.ext4 -q -F "$loop"
	mount -o discard "$loop" "$place/fs" || fail mount "mounted" "not"
}

fuse_down()
{
	umount "$place/fs" || fail umount "unmounted" "not"
	fsck.ext4 -fn "$loop" >"$place/fsck" 2>&1 ||
		fail "fsck" "clean" "$(tail -n 5 "$place/fsck")"
	losetup -d "$loop"
	loop=
	vhdtool 0 umount "$place/m"
}

fuse_fio() # SECONDS
{
	fio --directory="$place/fs" --rw=randwrite --blockalign=512 \
	    --bsrange=512-96k --size=40M --time_based --runtime="$1" \
	    --verify=crc32c --verify_backlog=512 --verify_fatal=1 \
	    --verify_state_save=0 --rate=,20M --output-format=json --name=a \
	    --fsync=32 --name=b --fsync=500 --name=c --bs=4k --direct=1
}

# ---- What runs beside them ----

did() # VHDTOOL-ARGUMENT...
{
	vhdtool 0 "$@"
	jobs=$((jobs + 1))
}

some_jobs() # NUMBER
{
	did snapshot create disk.vhd "a$1"
	sleep 0.5
	did snapshot create disk.vhd "b$1"
	sleep 0.5
	did snapshot create disk.vhd "c$1"
	did compact disk.vhd
	did snapshot delete disk.vhd "b$1"
	did snapshot delete --rate 64M disk.vhd "a$1"
	[ $(($1 % 3)) -ne 0 ] || did compact --mode repack disk.vhd
	did merge disk.vhd
}

round()
{
	local left=$((end - SECONDS)) n=0

	[ $left -lt $round_seconds ] || left=$round_seconds
	"$how"_up
	"$how"_fio $left >"$place/fio" 2>&1 &
	fio=$!
	while kill -0 $fio 2>/dev/null; do
		some_jobs $n
		n=$((n + 1))
	done
	wait $fio || fail "fio" "no mismatch" "$(tail -n 30 "$place/fio")"
	fio=
	requests=$((requests + $(sed -n '/^{/,$p' "$place/fio" |
	    jq '[.jobs[] | .read, .write, .trim | .total_ios] | add')))
	"$how"_down
}

# What a round did is taken back, and the state before is there again.
at_rest()
{
	local file

	for file in *.vhd; do
		sound "$file"
	done
	did snapshot revert disk.vhd start
	equal "the disk after a revert" "$before" "$(content disk.vhd)"
	did snapshot delete disk.vhd start
}

if [ "$how" = nbd ]; then
	size=192M
else
	[ "$(id -u)" = 0 ] || skip "loop devices need root"
	size=256M
fi
vhdtool 0 create --block-size 512K disk.vhd $size
while [ $SECONDS -lt $end ]; do
	if [ $rounds -gt 0 ]; then
		before=$(content disk.vhd)
		did snapshot create disk.vhd start
	fi
	round
	[ $rounds -eq 0 ] || at_rest
	rounds=$((rounds + 1))
	echo "$rounds rounds, $requests requests, $jobs jobs, no mismatch"
done

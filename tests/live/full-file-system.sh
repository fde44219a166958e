#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a full file system pauses the merge, not the guest; with space it goes on"
[ "$(id -u)" = 0 ] || skip "mounting needs root"
mkdir "$place/small"
mount -t tmpfs -o size=96M none "$place/small" 2>/dev/null || skip "no tmpfs"
trap 'end_server; cd /; umount -l "$place/small"; rm -rf "$place"' EXIT
cd "$place/small" || exit 99
vhdtool 0 create base.vhd 96M
fill base.vhd 1 0 4
vhdtool 0 create --parent base.vhd disk.vhd
fill disk.vhd 2 4 40
serve "$PLUGIN" disk.vhd
want=$(read_all)

given_back()
{
	[ "$(stat -c %b disk.vhd)" -lt "$stored" ]
}

# What the first block gives back is taken as well.
meets_the_end()
{
	stored=$(stat -c %b disk.vhd)
	start_job merge --rate 1M disk.vhd
	await "the merge moves" moves
	io "$uri" "write -q -P 2 5M 64k" "flush"
	await "a block is given back" given_back
	head -c 96M /dev/zero >filler 2>/dev/null
	vhdtool 0 job rate disk.vhd 0
	await "the merge waits for space" job_is io-status nospace
}

meets_the_end
vhdtool 0 job list --json disk.vhd
json_is '.[0] | [.type, .status, .class] | @csv' '"merge","paused","no space"'
vhdtool 0 inspect disk.vhd
stdout_has "^job: +merge, paused"
stdout_has "^waits: .*No space left"
kill -0 "$job" || fail "vhdtool merge" "waiting" "gone"
grep -q "^vhdtool: merge is paused.*No space left" "$job_err" ||
	fail "what it said" "that it waits" "$(cat "$job_err")"
vhdtool 5 compact disk.vhd
io "$uri" "write -q -P 2 40M 64k" "flush" "read -q -P 2 40M 64k"
equal "the disk while there is no space" "$want" "$(read_all)"

# Asked to, it tries, and waits again.
vhdtool 0 job resume disk.vhd
sleep 0.2
await "it waits again" job_is io-status nospace
kill -INT "$job"
job_ends 8
equal "the disk after Ctrl-C" "$want" "$(read_all)"

rm filler
meets_the_end
rm filler
job_ends 0
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "after kill -9 a merge copies again no more than what it did in 2 seconds"

progress() # current OR total
{
	"$VHDTOOL" job list --json disk.vhd | jq ".[0][\"$1-progress\"]"
}

# $left is what is still to be moved then.
kill_and_start_again()
{
	kill_server
	wait "$job"
	serve "$PLUGIN" disk.vhd autoresume=true
	await "the merge ends" job_is status concluded
	left=$(progress total)
}

passed() # MIB
{
	[ "$(progress current)" -gt $(($1 << 20)) ] 2>/dev/null
}

two_layers 64
serve "$PLUGIN" disk.vhd
want=$(read_all)
start_job merge --rate 6M disk.vhd
await "the merge moves" passed 36
moved=$(progress current)
kill_and_start_again
[ $((moved + left)) -le $(((64 + 2 * 6 + 2) << 20)) ] ||
	fail "moved before and after" "64 MiB, and what is done in 2 seconds" \
	    "$moved + $left bytes"
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

# What a flush made count is not even copied again.
rm disk.vhd
two_layers 64
serve "$PLUGIN" disk.vhd
start_job merge --rate 24M disk.vhd
await "the merge moves" passed 16
vhdtool 0 job pause disk.vhd
await "the merge is paused" job_is status paused
io "$uri" flush
moved=$(progress current)
kill_and_start_again
equal "bytes moved before and after" $((64 << 20)) $((moved + left))
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

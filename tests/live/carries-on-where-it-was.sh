#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "after kill -9 a merge does not copy again what a flush made count"
two_layers 64
serve "$PLUGIN" disk.vhd
want=$(read_all)
start_job merge --rate 24M disk.vhd
await "the merge moves" moves
sleep 0.5
vhdtool 0 job pause disk.vhd
await "the merge is paused" job_is status paused
io "$uri" flush
total=$("$VHDTOOL" job list --json disk.vhd | jq '.[0]["total-progress"]')
moved=$("$VHDTOOL" job list --json disk.vhd | jq '.[0]["current-progress"]')
[ "$moved" -gt 0 ] && [ "$moved" -lt "$total" ] ||
	fail "moved before the kill" "some of $total" "$moved"
kill_server
wait "$job"
serve "$PLUGIN" disk.vhd autoresume=true
await "the merge ends" job_is status concluded
again=$("$VHDTOOL" job list --json disk.vhd | jq '.[0]["total-progress"]')
equal "bytes moved before and after" "$total" $((moved + again))
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

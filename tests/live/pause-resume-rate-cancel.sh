#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the job of a served disk is listed, paused, resumed, slowed and cancelled"
two_layers 64
serve "$PLUGIN" disk.vhd
want=$(read_all)
vhdtool 0 job list disk.vhd
stdout_is "no job"
vhdtool 0 job list --json disk.vhd
json_is . "[]"

start_job merge --rate 4M disk.vhd
await "the merge moves" moves
vhdtool 0 job list --json disk.vhd
json_is '.[0] | [.type, .status, .speed] | @csv' '"merge","running",4194304'
vhdtool 0 inspect --json disk.vhd
json_is '."in-use".jobs[0].type' merge
json_is '."in-use".program' nbdkit
vhdtool 0 inspect disk.vhd
stdout_has "^job: +merge, running"
vhdtool 5 compact --rate 1M disk.vhd
stderr_has "job list"

vhdtool 0 job pause disk.vhd
await "the merge is paused" job_is status paused
before=$("$VHDTOOL" job list --json disk.vhd | jq '.[0]["current-progress"]')
sleep 1
equal "progress while paused" "$before" \
    "$("$VHDTOOL" job list --json disk.vhd | jq '.[0]["current-progress"]')"
equal "the disk while paused" "$want" "$(read_all)"
vhdtool 0 job resume disk.vhd
await "the merge runs" job_is status running
vhdtool 0 job cancel disk.vhd
job_ends 8
vhdtool 1 job cancel disk.vhd
stderr_has "no such job"

start_job merge --rate 1M disk.vhd
await "the merge runs" job_is status running
vhdtool 0 job rate disk.vhd 0
await "the rate is gone" job_is speed 0
job_ends 0
vhdtool 0 job list --watch disk.vhd
stdout_has "^status: +concluded"
equal "the disk" "$want" "$(read_all)"
equal "files" disk.vhd "$(echo *)"
stop
sound disk.vhd
vhdtool 1 job list disk.vhd
stderr_has "no process that serves it"
vhdtool 2 job dance disk.vhd
vhdtool 2 job rate disk.vhd
vhdtool 2 job pause --watch disk.vhd

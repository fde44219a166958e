#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "Ctrl-C of vhdtool stops the job (exit 8), and the same command carries on"
two_layers 64
serve "$PLUGIN" disk.vhd
want=$(read_all)
start_job merge --rate 8M --into base.vhd disk.vhd
await "the merge moves" moves
kill -INT "$job"
job_ends 8
stderr_has "^vhdtool: interrupted"
job_is status concluded || fail "the job" concluded "still there"
equal "the disk, half merged" "$want" "$(read_all)"
vhdtool 0 merge --into base.vhd disk.vhd
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a job goes on when the vhdtool that asked for it is killed"
two_layers 64
serve "$PLUGIN" disk.vhd
want=$(read_all)
start_job merge --rate 32M disk.vhd
await "the merge moves" moves
kill -KILL "$job"
wait "$job" 2>/dev/null
await "the merge ends" job_is status concluded
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

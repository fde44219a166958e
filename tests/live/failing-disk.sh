#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a disk that fails ends the job and all writing; what was flushed is kept"
. "$SOURCE/tests/helpers/passfs.sh"
trap 'end_server; leave; rm -rf "$place"' EXIT
two_layers 32
enter --link --exchange --punch

serve "$PLUGIN" disk.vhd
start_job merge --rate 8M disk.vhd
await "the merge moves" moves
io "$uri" "write -q -P 7 20M 1M" "write -q -P 8 50M 1M" flush
want=$(read_all)
kill -USR1 "$passfs"
job_ends 1
stderr_has "Input/output error"
job_is class input/output || fail "the job" "input/output" "another class"
io_fails "Input/output error" "$uri" "write 1M 64k" "write -f 50M 64k"
equal "the disk, which can still be read" "$want" "$(read_all)"
vhdtool 1 merge disk.vhd
vhdtool 1 snapshot create disk.vhd one
kill_server
leave

# Another disk, with what is left on the first.
cd "$place/images" || exit 99
serve "$PLUGIN" disk.vhd autoresume=true
await "the merge ends" job_is status concluded
equal "the disk after it was repaired" "$want" "$(read_all)"
equal "files" disk.vhd "$(echo *)"
stop
sound disk.vhd

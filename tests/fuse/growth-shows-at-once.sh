#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a disk that vhdtool makes larger while it is mounted is larger at once"
requires_fuse
vhdtool 0 create disk.vhd 20M

serve disk.vhd
noise 1 1 | dd of=m/disk bs=1M seek=19 conv=notrunc status=none
exec 5<>m/disk
"$VHDTOOL" resize disk.vhd +10M >"$out" 2>"$err"
status=$?
[ $status -eq 5 ] && skip "this build has no control socket"
equal "vhdtool resize: exit" 0 $status
equal "size" $((30 << 20)) "$(stat -c %s m/disk)"
noise 1 2 | dd bs=1M seek=29 conv=notrunc status=none >&5 ||
	fail "a write through a file that was open" "exit 0" "exit $?"
exec 5>&-
want=$(hash_of m/disk)
unserve
equal "content" "$want" "$(content disk.vhd)"
no_findings disk.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a full file system ends the merge (exit 4), not the guest; then it carries on"
[ "$(id -u)" = 0 ] || skip "mounting needs root"
mkdir "$place/small"
mount -t tmpfs -o size=96M none "$place/small" 2>/dev/null || skip "no tmpfs"
trap 'end_server; cd /; umount -l "$place/small"; rm -rf "$place"' EXIT
cd "$place/small" || exit 99
vhdtool 0 create base.vhd 96M
fill base.vhd 1 0 8
vhdtool 0 create --parent base.vhd disk.vhd
fill disk.vhd 2 4 40
serve "$PLUGIN" disk.vhd
want=$(read_all)
start_job merge --rate 8M disk.vhd
await "the merge moves" moves
head -c 90M /dev/zero >filler 2>/dev/null
io "$uri" "write -q -P 2 5M 64k" "flush" "read -q -P 2 5M 64k"
vhdtool 0 job rate disk.vhd 0
wait "$job"
ended=$?
if [ $ended -ne 0 ]; then
	equal "$last: exit, $(cat "$err")" 4 $ended
	io "$uri" "write -q -P 2 6M 64k" "flush"
	equal "the disk while there is no space" "$want" "$(read_all)"
fi
rm -f filler
[ $ended -eq 0 ] || vhdtool 0 merge disk.vhd
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(read_all)"
stop
sound disk.vhd

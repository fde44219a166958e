#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a chain may have 256 images; a warning comes before, a refusal after"
vhdtool 0 create --block-size 512K disk.vhd 1M
guest disk.vhd 7 1 1
for n in $(seq 240); do
	vhdtool 0 snapshot create disk.vhd "$n"
	[ "$n" = 239 ] && equal "$last: messages" "" "$(cat "$err")"
done
stderr_has '^vhdtool: warning: disk.vhd is a chain of 241 images now, and 256 '
stderr_has 'is the most that is opened; try: vhdtool snapshot delete'
for n in $(seq 241 255); do
	vhdtool 0 snapshot create disk.vhd "$n"
	stderr_has "a chain of $((n + 1)) images now"
done
refused 1 'disk.vhd: the chain has 256 images already' \
    snapshot create disk.vhd 256
guest disk.vhd 7 1 2
vhdtool 0 snapshot revert --keep last disk.vhd 254
vhdtool 0 snapshot delete disk.vhd last
vhdtool 0 snapshot delete disk.vhd 100
vhdtool 0 check --chain disk.vhd

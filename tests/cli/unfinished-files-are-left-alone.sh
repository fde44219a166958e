#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a file that is still being made stays when another disk is worked on"
vhdtool 0 create disk.vhd 8M
head -c 4M /dev/urandom >disk.img

begin() # ARGUMENT...
{
	last="vhdtool $*"
	"$VHDTOOL" "$@" >"$out" 2>"$err" <disk.img &
	job=$!
	for _ in $(seq 100); do
		compgen -G '.vhd-*.partial' >/dev/null && return
		sleep 0.05
	done
	fail "$last" "an unfinished file" "$(ls -A)"
}

ends()
{
	wait "$job"
	equal "$last: exit" 0 $?
	equal "$last: messages" "" "$(cat "$err")"
}

begin convert -f raw --rate 4M disk.img file.vhd
"$VHDTOOL" snapshot create disk.vhd one ||
	fail "a snapshot beside it" "exit 0" "exit $?"
ends
begin convert -f raw --rate 4M - pipe.vhd
"$VHDTOOL" compact disk.vhd || fail "compact beside it" "exit 0" "exit $?"
ends
vhdtool 0 compare -F raw file.vhd disk.img
vhdtool 0 compare -F raw pipe.vhd disk.img

begin convert -f raw --rate 4M disk.img killed.vhd
kill -KILL "$job"
wait "$job" 2>/dev/null
vhdtool 0 snapshot create disk.vhd two
equal "what the killed one left" "" "$(ls -A | grep partial)"

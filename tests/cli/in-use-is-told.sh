#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "an image in use is exit 5, and inspect says by whom"
requires jq
chain
"$VHDTOOL" merge --rate 50K --into base.vhd leaf.vhd 2>/dev/null &
job=$!
trap 'kill $job 2>/dev/null; wait $job; rm -rf "$place"' EXIT
for _ in $(seq 100); do
	vhdtool 0 inspect --json leaf.vhd
	[ "$(json '."in-use"')" != null ] && break
	sleep 0.1
done

json_is '."in-use" | keys | join(" ")' "jobs mode pid program since"
json_is '."in-use" | [.pid, .program, .mode] | @csv' "$job,\"vhdtool\",\"write\""
vhdtool 0 inspect leaf.vhd
stdout_has "^in use: +by vhdtool \(process $job\) for writing since 20"
vhdtool 5 compact leaf.vhd
stderr_has "$job"
vhdtool 5 merge leaf.vhd
vhdtool 0 merge --dry-run leaf.vhd
kill -TERM $job
wait $job
equal "the merge that was told to stop" 8 $?

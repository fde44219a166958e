#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what cannot be mounted is one sentence and the exit status of its kind"
requires_fuse
chain
mkdir -p m sub
refused() # STATUS PATTERN ARGUMENT...
{
	local want=$1 pattern=$2

	shift 2
	vhdfuse "$want" "$@"
	equal "$last: lines" 1 "$(wc -l <"$err")"
	stderr_has "$pattern"
	mountpoint -q m && fail "$last" "no mount" "one"
}

refused 2 "DISK is missing; try: vhdfuse --help"
refused 2 "DIR is missing" leaf.vhd
refused 2 "'x' is one word too many" leaf.vhd m x
refused 2 "unknown option.*nonsense" -o nonsense leaf.vhd m
refused 2 "cache= takes on or off, not 'maybe'" -o cache=maybe leaf.vhd m
refused 2 "mode= takes octal" -o mode=888 leaf.vhd m
refused 2 "threads= takes 1 to 64" -o threads=0 leaf.vhd m
refused 2 "allow-dir=/nowhere" -o allow-dir=/nowhere leaf.vhd m
refused 1 "absent.vhd" absent.vhd m
refused 1 "no-dir: No such file.*try: mkdir" leaf.vhd no-dir
refused 1 "neither a directory nor a regular file" leaf.vhd /dev/null
head -c 1M /dev/zero >zeros.vhd
refused 1 "zeros.vhd" zeros.vhd m
refused 7 "base.vhd.*mid.vhd" base.vhd m
refused 7 "hidden by a mount on" leaf.vhd .
refused 7 "hidden by a mount on" leaf.vhd leaf.vhd
refused 7 "hidden by a mount on" -o ro leaf.vhd /
mv base.vhd sub
refused 6 "base.vhd" leaf.vhd m
refused 7 "sub/base.vhd would be hidden" -o allow-dir=sub leaf.vhd sub
serve -o allow-dir=sub leaf.vhd
vhdfuse 5 -o allow-dir=sub leaf.vhd sub
stderr_has "in use.*vhdfuse.*$server"
fusermount3 -u m
wait "$server"
server=

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a snapshot costs one new file and two operations on names, whatever the \
size of the disk"
requires strace
strace -o "$place/calls" true 2>/dev/null || skip "programs cannot be traced"

# What the system was asked to do with names.
names() # DISK
{
	strace -f -o "$place/calls" -e \
	    trace=openat,link,linkat,rename,renameat,renameat2,unlink,unlinkat \
	    "$VHDTOOL" snapshot create "$1" x 2>"$err" ||
		fail "snapshot create $1" "done" "$(cat "$err")"
	grep -E 'O_CREAT|link|rename' "$place/calls" | grep -v O_RDONLY |
	    sed -E 's/^[0-9]+ +//; s/\(.*//; s/at2?$//' | xargs
}
vhdtool 0 create small.vhd 1M
vhdtool 0 create large.vhd 2000G
guest large.vhd 0 100000 1 4000000000 5000 2
equal "a disk of 1 MiB" "open link rename" "$(names small.vhd)"
equal "a disk of 2000 GiB" "open link rename" "$(names large.vhd)"

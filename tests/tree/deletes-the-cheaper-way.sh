#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a deletion moves data the way that copies less, which is what its dry \
run has said"
requires jq

# Delete a snapshot of disk.vhd; the bytes copied must be those of the plan.
delete() # NAME BYTES
{
	local total

	vhdtool 0 snapshot delete --dry-run --json disk.vhd "$1"
	json_is '."bytes-to-copy"' "$2"
	json_is '.fits' true
	vhdtool 0 snapshot delete --progress=json disk.vhd "$1"
	total=$(jq -s 'last | [.done, .total] | @csv' -r "$err")
	equal "$last: bytes done, and to be done" "$2,$2" "$total"
}

inode() # FILE
{
	stat -c %i "$1"
}

# A large snapshot below a small child: the child is merged down, and the
# snapshot's file takes its path.
disk
want=$(content disk.vhd) two=$(content disk@two.vhd)
file=$(inode disk@one.vhd)
delete one $((1010 * 512))
equal "the file at disk@two.vhd" "$file" "$(inode disk@two.vhd)"
equal "content" "$want $two" "$(content disk.vhd) $(content disk@two.vhd)"

# A small one below a large child: its data goes up.
rm -f -- *
disk
guest disk.vhd 0 8000 5 8190 2 6
want=$(content disk.vhd)
file=$(inode disk.vhd)
delete two 0
equal "the file at disk.vhd" "$file" "$(inode disk.vhd)"
equal "content" "$want" "$(content disk.vhd)"

# The root, all of which its child has anew: the child is the new root.
file=$(inode disk.vhd)
guest disk.vhd 8000 190 6
want=$(content disk.vhd)
delete one 0
equal "the file at disk.vhd" "$file" "$(inode disk.vhd)"
equal "content" "$want" "$(content disk.vhd)"
vhdtool 0 inspect --json disk.vhd
json_is .type dynamic

# Several children: its data goes up into each but one.
rm -f -- *
disk
vhdtool 0 snapshot clone disk.vhd one a.vhd
vhdtool 0 snapshot clone disk.vhd one b.vhd
guest a.vhd 0 3000 7
guest b.vhd 0 10 8
want="$(content disk.vhd) $(content a.vhd) $(content b.vhd)"
delete one $((10 * 512 + 2000 * 512))
equal "content" "$want" "$(content disk.vhd) $(content a.vhd) $(content b.vhd)"

# No child: nothing is copied.
vhdtool 0 snapshot create disk.vhd last
vhdtool 0 snapshot revert disk.vhd two
delete last 0
[ ! -e disk@last.vhd ] || fail "disk@last.vhd" "gone" "there"

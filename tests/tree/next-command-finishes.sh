#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "whatever command comes after a merge that was killed succeeds, and one \
that changes what stands on what finishes that merge first, and says so"
disk
two=$(content disk@two.vhd)
live=$(content disk.vhd)
mkdir "$place/before"
cp -a --sparse=always . "$place/before"

kill_merge() # AT
{
	rm -f -- * .disk*
	cp -a --sparse=always "$place/before/." .
	"$HELPERS/kill_at" "$1" "$VHDTOOL" merge disk@two.vhd 2>"$err" >"$out"
	status=$?
	[ $status = 77 ] && skip "programs cannot be traced here"
	[ $status = 0 ] || [ $status = 137 ] ||
		fail "kill_at $1" "0 or 137" "$status: $(cat "$err")"
}

nothing_hidden() # WHEN
{
	equal "killed at $at, $1: hidden files" "*@.merging-* .[!.]*" \
	    "$(echo *@.merging-* .[!.]*)"
}

# A command succeeds; and then nothing hidden is left once another one has
# changed the tree.
next() # CONTENT COMMAND...
{
	local want=$1

	shift
	kill_merge $at
	vhdtool 0 "$@"
	case "$(cat "$err")" in
	*"is finished first"*) notes=$((notes + 1)) ;;
	esac
	case $2 in
	revert | delete) nothing_hidden "$*" ;;
	esac
	equal "killed at $at, $*: the disk" "$want" "$(content disk.vhd)"
	vhdtool 0 snapshot create disk.vhd last
	vhdtool 0 snapshot delete disk.vhd last
	nothing_hidden "$*, snapshot taken and deleted"
	equal "killed at $at, $*, snapshot deleted: the disk" "$want" \
	    "$(content disk.vhd)"
	vhdtool 0 check --chain disk.vhd
}

notes=0 kills=0
for at in 3 9 14 17 25 45 50 53 56 58 60 62 64 66; do
	kill_merge $at
	[ $status = 0 ] && break
	kills=$((kills + 1))
	next "$live" merge disk.vhd
	case $((kills % 5)) in
	0) next "$two" snapshot revert --keep was disk.vhd two ;;
	1) next "$live" snapshot delete disk.vhd two ;;
	2) next "$live" snapshot rename disk.vhd two other ;;
	3) next "$live" snapshot clone disk.vhd two clone.vhd ;;
	4) next "$live" compact disk.vhd ;;
	esac
done
[ $kills -ge 10 ] || fail "kills" "10 or more" $kills
[ $notes -ge 8 ] || fail "notes of what comes first" "8 or more" $notes

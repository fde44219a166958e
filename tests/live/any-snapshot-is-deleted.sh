#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "any snapshot of a served disk is deleted; every other state stays"
mkdir "$place/elsewhere"
vhdtool 0 create disk.vhd 48M
fill disk.vhd 1 0 6
for name in one two three four; do
	vhdtool 0 snapshot create disk.vhd $name
	fill disk.vhd ${#name} $((${#name} * 3)) 4
done
vhdtool 0 snapshot clone disk.vhd two other.vhd
fill other.vhd 7 20 2
vhdtool 0 snapshot clone disk.vhd one "$place/elsewhere/far.vhd"
vhdtool 0 snapshot revert --keep side disk.vhd three
declare -A want
states="disk@three.vhd disk@side.vhd other.vhd $place/elsewhere/far.vhd"
for file in $states; do
	want[$file]=$(content "$file")
done
serve "$PLUGIN" disk.vhd
io "$uri" "write -q -P 9 30M 2M"
disk=$(read_all)

unharmed()
{
	equal "the disk, $1" "$disk" "$(read_all)"
	for file in $states; do
		equal "$file, $1" "${want[$file]}" "$(content "$file")"
	done
}

# Of another branch than the one that is served: a leaf, and what it stood on.
vhdtool 0 snapshot delete disk.vhd four
[ ! -e disk@four.vhd ] || fail "disk@four.vhd" "gone" "there"
unharmed "without four"
# A frozen layer with two on top, one of them the served chain's.
vhdtool 0 snapshot delete disk.vhd two
unharmed "without two"
equal "layers" "disk.vhd disk@three.vhd disk@one.vhd" \
    "$(ask query-disk | tr -d "'" | grep -o 'disk[@a-z]*\.vhd' | uniq | tail -n 3 | tr '\n' ' ' | sed 's/ $//')"
# By UUID; what stands on it elsewhere is found with --search.
uuid=$("$VHDTOOL" inspect --json disk@one.vhd | jq -r .uuid)
vhdtool 0 snapshot delete --search "$place/elsewhere" disk.vhd "$uuid"
unharmed "without one"
vhdtool 0 snapshot delete disk.vhd side
states="disk@three.vhd other.vhd $place/elsewhere/far.vhd"
unharmed "without side"
vhdtool 0 snapshot delete disk.vhd three
states="other.vhd $place/elsewhere/far.vhd"
unharmed "without three"
equal "files" "disk.vhd other.vhd" "$(echo *.vhd)"
vhdtool 1 snapshot delete disk.vhd three
vhdtool 5 snapshot revert disk.vhd anything
stop
for file in disk.vhd $states; do
	sound "$file"
done

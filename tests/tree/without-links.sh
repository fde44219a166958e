#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "without hard links or holes, snapshots work by exchanging names; with \
neither links nor exchange they are refused and nothing changes"
requires python3
. "$(dirname "$0")/../helpers/passfs.sh"
trap 'leave; rm -rf "$place"' EXIT

# Every command, with the states read by somebody else.
every_command()
{
	local first second third

	vhdtool 0 create --block-size 512K disk.vhd 4M
	guest disk.vhd 0 3000 1
	first=$(content disk.vhd)
	vhdtool 0 snapshot create disk.vhd one
	guest disk.vhd 100 1000 2
	second=$(content disk.vhd)
	vhdtool 0 snapshot create disk.vhd two
	guest disk.vhd 2000 5 3
	third=$(content disk.vhd)
	vhdtool 0 snapshot revert --keep three disk.vhd one
	equal "reverted" "$first" "$(content disk.vhd)"
	equal "kept" "$third" "$(content disk@three.vhd)"
	vhdtool 0 snapshot rename disk.vhd one first
	vhdtool 0 snapshot clone disk.vhd first clone.vhd
	equal "a renamed parent" "$second" "$(content disk@two.vhd)"
	equal "a clone" "$first" "$(content clone.vhd)"
	vhdtool 0 snapshot delete disk.vhd two
	equal "two was deleted" "$third" "$(content disk@three.vhd)"
	vhdtool 0 snapshot delete disk.vhd first
	equal "first was deleted" "$third" "$(content disk@three.vhd)"
	equal "first was deleted" "$first" "$(content disk.vhd)"
	equal "first was deleted" "$first" "$(content clone.vhd)"
	equal "files" "clone.vhd disk.vhd disk@three.vhd" "$(ls -A | xargs)"
	equal "snapshots that may be written to" "" \
	    "$(find . -name '*@*' -perm /222)"
	rm -f -- *
}

enter --exchange
every_command
leave
enter --link
every_command
leave

# Snapshots that were taken elsewhere.
cd "$place/images" || exit 99
"$VHDTOOL" create --block-size 512K disk.vhd 4M
guest disk.vhd 0 3000 1
first=$(content disk.vhd)
"$VHDTOOL" snapshot create disk.vhd one
guest disk.vhd 100 1000 2
second=$(content disk.vhd)
enter
before=$(state *)
vhdtool 1 snapshot create disk.vhd two
stderr_has 'can neither give a file two names nor exchange two names.*try: '
vhdtool 1 snapshot revert --keep two disk.vhd one
stderr_has 'can neither give a file two names nor exchange two names.*try: '
equal "files" "$before" "$(state *)"
vhdtool 0 snapshot clone disk.vhd one clone.vhd
vhdtool 0 snapshot rename disk.vhd one first
equal "what is live" "$second" "$(content disk.vhd)"
vhdtool 0 snapshot revert disk.vhd first
equal "reverted" "$first" "$(content disk.vhd)"
guest disk.vhd 100 1000 2
vhdtool 0 snapshot delete disk.vhd first
equal "deleted" "$second" "$(content disk.vhd)"
equal "deleted" "$first" "$(content clone.vhd)"
equal "files" "clone.vhd disk.vhd" "$(ls -A | xargs)"

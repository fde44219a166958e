#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "control characters of names reach neither the terminal nor the JSON"
requires jq
name=$(printf 'a\033[31m\a.vhd')
printf '%s\n' 'type dynamic' 'size 10M' 'block 1 = pattern 1' | image x.vhd
mv x.vhd "$name"
odd=$(printf 'b\xff.vhd')
cp "$name" "$odd"

for command in inspect map measure check tree; do
	vhdtool 0 $command "$name"
	stdout_has 'a\\x1b\[31m\\x07\.vhd'
	equal "$last: control characters" "" "$(grep -c '[[:cntrl:]]' "$out" |
	    grep -v '^0$')"
done
vhdtool 0 inspect --json "$odd"
json_is '.filename | split("/") | last' 'b�.vhd'
vhdtool 1 inspect "$name.gone"
stderr_has 'a\\x1b\[31m\\x07\.vhd\.gone'

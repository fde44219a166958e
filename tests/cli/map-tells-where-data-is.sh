#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "map covers the disk, names the layer of each run and joins neighbours"
requires jq
chain

vhdtool 0 map --json leaf.vhd
json_is '.[0] | keys | sort | join(" ")' \
    "data depth filename length offset present start zero"
json_is 'map(select(.data | not) | keys | join(" ")) | unique | join("; ")' \
    "data depth length present start zero"
json_is 'map(.length) | add' 10485760
json_is '[range(1; length) as $i |
    .[$i].start - .[$i - 1].start - .[$i - 1].length] | unique | @json' '[0]'
json_is 'map(select(.data) | [.depth, .start, .length]) | @json' \
    "[[2,0,2097152],[2,2097152,25600],[1,2122752,51200],[1,4194304,4096],\
[0,4198400,4096],[1,4202496,2088960],[0,8388608,4096]]"
json_is 'map(select(.data) | [.depth, (.filename | split("/") | last)]) |
    unique | @json' '[[0,"leaf.vhd"],[1,"mid.vhd"],[2,"base.vhd"]]'

# The bytes are where it says.
json '.[] | select(.data) | "\(.filename) \(.offset) \(.start) \(.length)"' |
while read -r file offset start length; do
	cmp -s <(tail -c +$((offset + 1)) "$file" | head -c "$length") \
	    <(python3 -B "$refvhd" cat leaf.vhd | tail -c +$((start + 1)) |
	    head -c "$length") ||
		fail "$last" "$length bytes of the disk at $file:$offset" others
done || exit 1

vhdtool 0 map leaf.vhd
stdout_has "^ +8388608 +4096  data +0 +[0-9]+  .*leaf.vhd$"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "map --svg and tree --svg draw sound SVG that names every image"
requires xmllint
chain
mv base.vhd 'b<&>".vhd'

vhdtool 0 tree --svg t.svg .
vhdtool 0 relink leaf.vhd --search .
vhdtool 0 relink mid.vhd --search .
vhdtool 0 map --svg m.svg leaf.vhd
for picture in t.svg m.svg; do
	xmllint --noout $picture || fail "$picture" "well-formed XML" "not so"
	for name in leaf mid 'b&lt;&amp;&gt;"'; do
		grep -qF "$name.vhd" $picture ||
			fail $picture "the name $name.vhd" "no such text"
	done
done
vhdtool 0 map --svg - leaf.vhd
stdout_has '^<svg xmlns'
mkdir deep
below=deep/0.vhd
vhdtool 0 create $below 1M
for i in $(seq 30); do
	vhdtool 0 create --parent $below deep/"$i".vhd
	below=deep/$i.vhd
done
vhdtool 0 tree --svg deep.svg deep
equal "boxes of a deep chain" 31 "$(grep -c '<rect class' deep.svg)"
width=$(xmllint --xpath 'string(/*/@width)' deep.svg)
[ "$width" -lt 600 ] || fail "width of a deep chain" "less than 600" "$width"

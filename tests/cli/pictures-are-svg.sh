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

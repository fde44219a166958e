#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "convert keeps what the guest sees, between all types and through pipes"
chain
want=$(content leaf.vhd)

vhdtool 0 convert leaf.vhd dynamic.vhd
vhdtool 0 convert -O fixed leaf.vhd fixed.vhd
vhdtool 0 convert -O raw leaf.vhd disk.img
vhdtool 0 convert -f raw --block-size 512K disk.img small.vhd
equal "disk.img" "$want" "$(sha256sum <disk.img | cut -d' ' -f1)"
for file in dynamic fixed small; do
	equal $file.vhd "$want" "$(content $file.vhd)"
	vhdtool 0 check $file.vhd
	vhdtool 0 compare leaf.vhd $file.vhd
done

for type in dynamic fixed; do
	"$VHDTOOL" convert -O $type leaf.vhd - >pipe.vhd ||
		fail "convert to a pipe" "exit 0" "exit $?"
	equal "$type through a pipe" "$want" "$(content pipe.vhd)"
done
"$VHDTOOL" convert -f raw - from-pipe.vhd <disk.img ||
	fail "convert from a pipe" "exit 0" "exit $?"
equal "from-pipe.vhd" "$want" "$(content from-pipe.vhd)"
"$VHDTOOL" convert -z -O raw leaf.vhd - | gunzip >unzipped.img
cmp -s unzipped.img disk.img || fail "convert -z" "the same disk" "another"

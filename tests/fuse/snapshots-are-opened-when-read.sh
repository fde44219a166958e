#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "snapshots/NAME is a snapshot, read-only, and held only while it is open"
requires_fuse
requires jq
chain
mv base.vhd disk@monday.vhd
mv mid.vhd "disk@more work.vhd"
mv leaf.vhd disk.vhd
vhdtool 0 relink disk.vhd
vhdtool 0 relink "disk@more work.vhd"
cp disk@monday.vhd disk@.merging-1.vhd
cp disk@monday.vhd other@monday.vhd
cp disk@monday.vhd disk@a@b.vhd
ln disk.vhd disk@unfinished.vhd

serve disk.vhd
equal "names" "monday|more work|" "$(ls m/snapshots | tr '\n' '|')"
equal "size" $((10 << 20)) "$(stat -c %s m/snapshots/monday)"
equal "monday" "$(content disk@monday.vhd)" "$(hash_of m/snapshots/monday)"
equal "more work" "$(content "disk@more work.vhd")" \
    "$(hash_of "m/snapshots/more work")"
dd if=/dev/zero of=m/snapshots/monday count=1 conv=notrunc 2>/dev/null &&
	fail "a write to a snapshot" "an error" "exit 0"
[ -e m/snapshots/tuesday ] && fail "m/snapshots/tuesday" none "a file"
[ -e m/snapshots/unfinished ] && fail "m/snapshots/unfinished" none "a file"

# Whoever opens it for writing finds it in use, or not.
vhdtool 0 create --parent disk@monday.vhd disk@tuesday.vhd
ls -l m/snapshots >/dev/null
vhdtool 0 inspect --json disk@tuesday.vhd
json_is '."in-use"' null
exec 5<m/snapshots/tuesday
vhdtool 0 inspect --json disk@tuesday.vhd
json_is '."in-use".mode' read
exec 5<&-
for _ in $(seq 40); do
	vhdtool 0 inspect --json disk@tuesday.vhd
	[ "$(json '."in-use"')" = null ] && break
	sleep 0.05
done
json_is '."in-use"' null
unserve

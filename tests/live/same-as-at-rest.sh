#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what vhdtool says and does is the same whether a disk is served or not"
mkdir elsewhere
vhdtool 0 create --block-size 512K disk.vhd 8M
fill disk.vhd 1 0 3
vhdtool 0 snapshot create disk.vhd one
vhdtool 0 snapshot clone disk.vhd one elsewhere/far.vhd
fill disk.vhd 2 1 3
vhdtool 0 snapshot create disk.vhd two
fill disk.vhd 3 2 3
vhdtool 0 snapshot revert --keep side disk.vhd two
fill disk.vhd 5 3 3
vhdtool 0 snapshot create disk.vhd three
fill disk.vhd 6 4 3
vhdtool 0 snapshot clone disk.vhd side other.vhd
vhdtool 0 snapshot create other.vhd mine

# Those that are done by whoever serves the disk, with good and bad arguments;
# those that only look; and those that must wait until it is served no more.
sed '/^$/d' >"$place/commands" <<'END'
merge disk.vhd
merge --dry-run disk.vhd
merge --dry-run --json disk.vhd
merge --json disk.vhd
merge --progress json disk.vhd
merge --rate 1G --search elsewhere --raw-parent disk.vhd
merge --rate x disk.vhd
merge --search nowhere disk.vhd
merge --at-parent disk.vhd
merge --into disk@two.vhd disk.vhd
merge --into disk@one.vhd disk.vhd
merge --search elsewhere --into disk@one.vhd disk.vhd
merge --into disk.vhd disk.vhd
merge --into other.vhd disk.vhd
merge --into missing.vhd disk.vhd
merge --into disk.vhd/x disk.vhd
merge disk@two.vhd
merge --search elsewhere disk@two.vhd
merge --into disk@three.vhd disk@two.vhd
merge disk@side.vhd
merge disk@one.vhd
merge other.vhd
merge elsewhere/far.vhd
merge missing.vhd

compact disk.vhd
compact --mode repack --rate 1G --search elsewhere --raw-parent disk.vhd
compact --dry-run --json disk.vhd
compact --dry-run --mode repack disk.vhd
compact --progress json disk.vhd
compact --mode foo disk.vhd
compact other.vhd
compact disk@two.vhd # 5 in use for reading by nbdkit

resize disk.vhd 16M
resize disk.vhd +8M
resize disk.vhd 8M
resize disk.vhd 4M
resize --shrink disk.vhd 16M
resize --shrink disk.vhd 4M # 5 served, and can only grow
resize --dry-run --json disk.vhd 16M
resize disk.vhd 0
resize disk.vhd 16000001
resize disk.vhd 3T
resize disk@two.vhd 16M # 5 in use for reading by nbdkit

snapshot create disk.vhd new
snapshot create --search elsewhere --raw-parent disk.vhd new
snapshot create --search nowhere disk.vhd new
snapshot create disk.vhd one
snapshot create disk.vhd a/b
snapshot create disk@two.vhd new
snapshot create other.vhd new

snapshot delete disk.vhd one
snapshot delete --search elsewhere disk.vhd one
snapshot delete --search nowhere disk.vhd one
snapshot delete disk.vhd two
snapshot delete --rate 1G --raw-parent disk.vhd three
snapshot delete --progress json disk.vhd three
snapshot delete disk.vhd side
snapshot delete disk.vhd disk@two.vhd
snapshot delete disk.vhd disk.vhd
snapshot delete disk.vhd other.vhd
snapshot delete disk.vhd nothing
snapshot delete disk@two.vhd one
snapshot delete --tree disk.vhd two
snapshot delete --tree disk.vhd three
snapshot delete --tree disk.vhd side
snapshot delete --tree disk.vhd nothing
snapshot delete --dry-run --json disk.vhd two
snapshot delete --dry-run --tree disk.vhd three
snapshot delete --json disk.vhd two

snapshot list disk.vhd
snapshot list --json disk.vhd
snapshot clone disk.vhd two new.vhd
tree --json .
map --json disk.vhd
measure --json disk.vhd
check --json disk@two.vhd
compare disk@two.vhd disk@one.vhd
relink .
snapshot revert disk.vhd one # 5 in use for writing by nbdkit
snapshot rename disk.vhd two other # 5 in use for writing by nbdkit
rebase --parent disk@one.vhd disk.vhd # 5 in use for writing by nbdkit
check --repair disk.vhd # 5 in use for writing by nbdkit
convert -O raw disk.vhd raw # 5 in use for writing by nbdkit
create --force disk.vhd 4M # 5 in use for writing by nbdkit
END
PYTHONPATH=$SOURCE/tests/support python3 -B "$SOURCE/tests/live/same.py" \
    --vhdtool "$VHDTOOL" --plugin "$PLUGIN" --preload "$PRELOAD" \
    --tree "$place/images" --place "$place" <"$place/commands" >"$out" 2>"$err" ||
	fail "all commands" "the same" "$(cat "$out" "$err")"
cat "$out"

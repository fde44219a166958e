#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "exit 4 for a full file system: how much is needed, and nothing changes"

# A file system of our own that can be filled, if we may have one.
if [ "${SMALL:-}" = "" ]; then
	unshare -rm mount -t tmpfs none /mnt 2>/dev/null ||
		skip "no name space to mount a file system in"
	SMALL=yes unshare -rm bash "$SOURCE/tests/tree/$test.sh"
	exit $?
fi
mkdir "$place/small"
mount -t tmpfs -o size=6M none "$place/small" || exit 99
trap 'cd / && umount "$place/small" && rm -rf "$place"' EXIT
cd "$place/small" || exit 99
disk
vhdtool 0 snapshot clone disk.vhd one clone.vhd
guest clone.vhd 0 5 9
dd if=/dev/zero of=ballast bs=4096 2>/dev/null
need='needs? [0-9]+ bytes.* 0 are free; nothing was changed'
refused 4 "disk.vhd: the new file $need" snapshot create disk.vhd x
refused 4 "disk.vhd: the new file $need" snapshot revert disk.vhd one
refused 4 "disk.vhd: the new file $need" \
    snapshot revert --keep x disk.vhd one
refused 4 "more.vhd: the new file $need" snapshot clone disk.vhd one more.vhd
refused 4 "disk@one.vhd: a renaming may need [0-9]+ bytes" \
    snapshot rename disk.vhd one x
refused 4 "disk@one.vhd: not enough space: [0-9]+ bytes needed, 0 free" \
    snapshot delete disk.vhd one
before=$(everything)
vhdtool 4 snapshot delete --dry-run disk.vhd one
stdout_has '^fits: +no$'
equal "after a dry run" "$before" "$(everything)"
rm ballast
vhdtool 0 snapshot delete disk.vhd one

# Nothing is written, so nothing is needed.
dd if=/dev/zero of=ballast bs=4096 2>/dev/null
vhdtool 0 snapshot list disk.vhd
vhdtool 0 tree .

# Where there is no room for what would copy less, the other way is taken.
rm -f -- *
vhdtool 0 create --block-size 512K disk.vhd 64M
runs=()
for block in $(seq 0 39); do
	runs+=($((1024 * block)) 1 1)
done
guest disk.vhd "${runs[@]}"
vhdtool 0 snapshot create disk.vhd one
guest disk.vhd 100 350 2
want=$(content disk.vhd)
vhdtool 0 snapshot delete --dry-run disk.vhd one
stdout_has '^copy-up: '
dd if=/dev/zero of=ballast bs=4096 2>/dev/null
truncate -s -240K ballast
vhdtool 0 snapshot delete --dry-run disk.vhd one
stdout_has '^merge-down: '
stdout_has '^fits: +yes$'
stdout_has '^There is no room for the way that copies less\.$'
vhdtool 0 snapshot delete disk.vhd one
equal "files" "ballast disk.vhd" "$(echo *)"
equal "content" "$want" "$(content disk.vhd)"

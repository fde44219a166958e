#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "exit 4 for a full file system: nothing is lost, and a merge carries on"

# A file system of our own that can be filled, if we may have one.
if [ "${SMALL:-}" = "" ]; then
	unshare -rm mount -t tmpfs none /mnt 2>/dev/null ||
		skip "no name space to mount a file system in"
	SMALL=yes unshare -rm bash "$SOURCE/tests/cli/$test.sh"
	exit $?
fi
chain
want=$(content leaf.vhd)
mkdir "$place/small"
mount -t tmpfs -o size=7M none "$place/small" || exit 99
trap 'cd / && umount "$place/small" && rm -rf "$place"' EXIT

vhdtool 4 convert leaf.vhd "$place/small/copy.vhd"
equal "what the failed copy left" "" "$(ls "$place/small")"

# The merge needs a block in the parent for which there is no room.
cp --sparse=always base.vhd mid.vhd leaf.vhd "$place/small"
cd "$place/small" || exit 99
fallocate -l "$(($(stat -f -c '%a * %S' .) - 65536))" ballast
vhdtool 4 merge --dry-run --into base.vhd leaf.vhd
stdout_has '^fits: +no$'
vhdtool 4 merge --into base.vhd leaf.vhd
equal "files after the failure" "ballast base.vhd leaf.vhd mid.vhd" "$(echo *)"
equal "content after the failure" "$want" "$(content leaf.vhd)"
rm ballast
vhdtool 0 merge --into base.vhd leaf.vhd
equal "files" "leaf.vhd" "$(echo *)"
equal "content" "$want" "$(content leaf.vhd)"

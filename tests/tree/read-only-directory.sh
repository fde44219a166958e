#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "in a directory that cannot be written to a snapshot can be looked at, \
and one sentence says why more does not work"

if [ "${SMALL:-}" = "" ]; then
	unshare -rm mount -t tmpfs none /mnt 2>/dev/null ||
		skip "no name space to mount a file system in"
	SMALL=yes unshare -rm bash "$SOURCE/tests/tree/$test.sh"
	exit $?
fi
mkdir "$place/fixed"
mount -t tmpfs none "$place/fixed" || exit 99
trap 'cd / && umount "$place/fixed" && rm -rf "$place"' EXIT
cd "$place/fixed" || exit 99
disk
mount -o remount,ro "$place/fixed" || exit 99
for command in 'create disk.vhd x' 'revert disk.vhd one' \
    'revert --keep x disk.vhd one' 'delete disk.vhd one' \
    'rename disk.vhd one x' 'clone disk.vhd one clone.vhd'; do
	# shellcheck disable=SC2086
	refused 1 '(disk|clone)[a-z@]*\.vhd: .*Read-only file system$' \
	    snapshot $command
done
vhdtool 0 snapshot list disk.vhd
vhdtool 0 snapshot delete --dry-run disk.vhd one
vhdtool 0 snapshot clone disk.vhd one "$place/clone.vhd"
equal "a clone elsewhere" "$(content disk@one.vhd)" \
    "$("$VHDTOOL" convert -O raw --search . "$place/clone.vhd" - |
	sha256sum | cut -d' ' -f1)"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a write for which there is no space fails as such, and loses nothing"

# A file system of our own that can be filled, if we may have one.
if [ "${SMALL:-}" = "" ]; then
	unshare -rm mount -t tmpfs none /mnt 2>/dev/null ||
		skip "no name space to mount a file system in"
	SMALL=yes unshare -rm bash "$SOURCE/tests/nbd/$test.sh"
	exit $?
fi
mount -t tmpfs -o size=16M none "$place/images" || exit 99
cd "$place/images" || exit 99
vhdtool 0 create disk.vhd 64M
serve "$PLUGIN" disk.vhd
io "$uri" "write -P 1 0 4M" flush
io_fails "No space left" "$uri" "write -P 2 8M 32M"
io "$uri" "read -P 1 0 4M" "write -P 3 1M 1M"
io "$uri" "discard 8M 32M" flush "write -P 4 50M 2M" flush
kill_server
sound disk.vhd
serve "$PLUGIN" disk.vhd
io "$uri" "read -P 1 0 1M" "read -P 3 1M 1M" "read -P 4 50M 2M"
end_server
server=
cd /
umount "$place/images"

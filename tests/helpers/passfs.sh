# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# passfs.sh - the directory images/ of a test, seen through a file system that
# lacks or fails what the test says.  To be sourced after functions.sh.

requires fusermount3
[ -x "${HELPERS-}/passfs" ] || skip "built without libfuse3"
[ -w /dev/fuse ] || skip "no /dev/fuse"
there=$place/there

enter() # OPTION...: mount it, and go there
{
	mkdir -p "$there"
	"$HELPERS/passfs" "$@" "$place/images" "$there" &
	passfs=$!
	for _ in $(seq 100); do
		mountpoint -q "$there" && break
		sleep 0.05
	done
	mountpoint -q "$there" || skip "FUSE does not work here"
	cd "$there" || exit 99
}

leave() # unmount it, and wait for its end
{
	cd "$place" || exit 99
	fusermount3 -qu "$there" 2>/dev/null
	[ -z "${passfs-}" ] || wait "$passfs"
	passfs=
}

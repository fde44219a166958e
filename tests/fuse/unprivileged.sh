#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a user who is not root can mount, and other users see nothing"
requires_fuse
self=$SOURCE/tests/fuse/unprivileged.sh
requires setpriv unshare
[ "$(id -u)" = 0 ] || skip "only root can become two users"
as() # UID COMMAND...
{
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# The device may be root's alone here; elsewhere everyone may open it.  In a
# mount namespace of its own, the test has one like that.
if [ -z "${in_namespace-}" ] && ! as 65534 test -w /dev/fuse; then
	in_namespace=1 exec unshare -m bash "$self"
fi
if ! as 65534 test -w /dev/fuse; then
	mkdir "$place/dev"
	mount -t tmpfs tmpfs "$place/dev" &&
		mknod -m 666 "$place/dev/fuse" c 10 229 &&
		mount --bind "$place/dev/fuse" /dev/fuse
	as 65534 test -w /dev/fuse || skip "/dev/fuse is for root"
fi
chain
mkdir m
chmod 755 "$place" "$place/images"
chown -R 65534 m *.vhd
cp "$VHDFUSE" "$VHDTOOL" "$place" 2>/dev/null
libs=$(ldd "$VHDFUSE" | sed -n 's/.*libvhd[^ ]* => \([^ ]*\) .*/\1/p')
cp "$libs" "$place"
export LD_LIBRARY_PATH=$place

as 65534 "$place/vhdfuse" leaf.vhd "$PWD/m" 2>"$err" ||
	fail "vhdfuse" "exit 0" "exit $?: $(cat "$err")"
equal "content" "$(content leaf.vhd)" "$(as 65534 sha256sum m/disk |
    cut -d' ' -f1)"
as 65534 dd if=/dev/zero of=m/disk bs=1M count=1 conv=notrunc,fsync \
    status=none || fail "a write" "exit 0" "exit $?"
as 65533 ls m >/dev/null 2>&1 && fail "another user" "no access" "access"
ls m >/dev/null 2>&1 && fail "root" "no access" "access"
as 65534 "$place/vhdtool" umount m 2>"$err" ||
	fail "vhdtool umount" "exit 0" "exit $?: $(cat "$err")"
no_findings leaf.vhd

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
TMPDIR=${TMPDIR:-/tmp} # memory may have no attributes
. "$(dirname "$0")/functions.sh"
claim "whatever file stands at the path of the disk has the owner, mode, ACL \
and extended attributes of the one before"
requires setfattr getfattr setfacl getfacl
disk
chmod 640 disk.vhd
setfattr -n user.note -v 'of the VM "web"' disk.vhd 2>/dev/null ||
	skip "no extended attributes here"
setfacl -m u:12345:rw disk.vhd 2>/dev/null || skip "no ACL here"
if [ "$(id -u)" = 0 ]; then
	chown 1234:4321 disk.vhd
	setfattr -n security.vhdtest -v label disk.vhd 2>/dev/null
fi

look() # FILE
{
	stat -c '%U %G %a' "$1"
	getfattr -d -m - --absolute-names "$1" | tail -n +2
	getfacl -p "$1" | tail -n +2
}

want=$(look disk.vhd)
vhdtool 0 snapshot create disk.vhd three
equal "after create" "$want" "$(look disk.vhd)"
equal "owner of the snapshot" "$(stat -c '%u:%g' disk.vhd)" \
    "$(stat -c '%u:%g' disk@three.vhd)"
equal "note on the snapshot" "$(getfattr --only-values -n user.note disk.vhd)" \
    "$(getfattr --only-values -n user.note disk@three.vhd)"
vhdtool 0 snapshot revert disk.vhd one
equal "after revert" "$want" "$(look disk.vhd)"
vhdtool 0 snapshot revert --keep four disk.vhd three
equal "after revert --keep" "$want" "$(look disk.vhd)"
vhdtool 0 snapshot rename disk.vhd three 3
equal "after rename" "$want" "$(look disk.vhd)"

# Empty, it is merged down: the file of the snapshot takes its path.
inode=$(stat -c %i disk@3.vhd)
vhdtool 0 snapshot delete disk.vhd 3
equal "the file at disk.vhd" "$inode" "$(stat -c %i disk.vhd)"
equal "after delete" "$want" "$(look disk.vhd)"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a disk that is mounted with vhdfuse is merged, and growing shows at once"
[ -n "${VHDFUSE-}" ] && [ -w /dev/fuse ] || skip "no vhdfuse, or no /dev/fuse"
requires fusermount3
two_layers 16
mkdir "$place/m"
trap 'fusermount3 -u -z "$place/m" 2>/dev/null; end_server; rm -rf "$place"' EXIT
run 0 "$VHDFUSE" disk.vhd "$place/m"
want=$(sha256sum <"$place/m/disk")
vhdtool 0 merge disk.vhd
equal "files" disk.vhd "$(echo *)"
equal "the disk" "$want" "$(sha256sum <"$place/m/disk")"
vhdtool 0 resize disk.vhd 40M
equal "size" $((40 << 20)) "$(stat -c %s "$place/m/disk")"
vhdtool 0 umount "$place/m"
sound disk.vhd

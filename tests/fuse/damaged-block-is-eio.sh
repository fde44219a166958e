#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a damaged block gives EIO for its own range only"
requires_fuse
printf '%s\n' 'type dynamic' 'size 12M' 'block 0 = pattern 1' \
    'block 1 = pattern 2' 'block 2 = pattern 3' | image good.vhd
python3 -B "$refvhd" raw good.vhd good.img
python3 - good.vhd bad.vhd <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
bat = struct.unpack('>Q', data[512 + 16:512 + 24])[0]
data[bat + 4:bat + 8] = struct.pack('>I', 0x7fffffff)
open(sys.argv[2], 'wb').write(data)
END
mkdir m
vhdfuse 1 bad.vhd m
"$VHDFUSE" -o ro bad.vhd m 2>"$err" || skip "the image is refused as a whole"
for part in 0 2; do
	equal "block $part" \
	    "$(dd if=good.img bs=2M skip=$part count=1 status=none | sha256sum)" \
	    "$(dd if=m/disk bs=2M skip=$part count=1 status=none | sha256sum)"
done
message=$(dd if=m/disk bs=2M skip=1 count=1 2>&1 >/dev/null) &&
	fail "block 1" "an error" "exit 0"
[[ $message == *"Input/output error"* ]] ||
	fail "block 1" "Input/output error" "$message"
fusermount3 -u m

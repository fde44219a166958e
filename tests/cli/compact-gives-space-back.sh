#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "compact drops blocks of zeros; repack shortens the file; content stays"
printf '%s\n' 'type dynamic' 'size 20M' 'block 0 = pattern 0' \
    'block 1 = pattern 1' 'block 2 = pattern 0' 'block 3 = pattern 3' |
    image x.vhd
want=$(content x.vhd)
cp --sparse=never x.vhd y.vhd
length=$(stat -c %s x.vhd)

blocks() # FILE: space on disk
{
	echo $(($(stat -c '%b * %B' "$1")))
}

before=$(blocks y.vhd)
vhdtool 0 compact y.vhd
[ "$(blocks y.vhd)" -le $((before - 2 * 2097152 + 16384)) ] ||
	fail "space after compact" "4 MiB less than $before" "$(blocks y.vhd)"
equal "content after compact" "$want" "$(content y.vhd)"

vhdtool 0 compact --mode repack x.vhd
[ "$(stat -c %s x.vhd)" -le $((length - 2 * 2097152)) ] ||
	fail "length after repack" "4 MiB less than $length" \
	    "$(stat -c %s x.vhd)"
equal "content after repack" "$want" "$(content x.vhd)"
vhdtool 0 check x.vhd
vhdtool 0 check y.vhd
vhdtool 2 compact --mode pack x.vhd

# What stands on it may know it by its time.
printf '%s\n' 'type dynamic' 'size 20M' 'block 0 = pattern 0' \
    'block 1 = pattern 1' | image base.vhd
vhdtool 0 create --parent base.vhd child.vhd
for mode in punch repack; do
	touch -d '2020-01-01 UTC' base.vhd
	vhdtool 0 compact --mode $mode base.vhd
	equal "time of a parent after $mode" 1577836800 "$(stat -c %Y base.vhd)"
done

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "compare exits 0 for equal disks, 3 with the first difference for others"
requires jq
printf '%s\n' 'type dynamic' 'size 10M' 'block 1 = pattern 1' | image a.vhd
printf '%s\n' 'type fixed' 'size 10M' 'write 2M 2M = pattern 1' | image b.vhd
printf '%s\n' 'type dynamic' 'size 10M' 'block 1 = pattern 1' \
    'block 2 bits 3 = pattern 2' | image c.vhd
printf '%s\n' 'type dynamic' 'size 12M' 'block 1 = pattern 1' | image longer.vhd

vhdtool 0 compare a.vhd b.vhd
stdout_is "The disks read the same."
vhdtool 0 compare --json a.vhd b.vhd
json_is 'keys | join(" ")' "equal first-difference"
json_is '[.equal, ."first-difference"] | @json' '[true,null]'
vhdtool 0 compare a.vhd longer.vhd

# Sector 3 of the pattern begins with seven zero bytes and a 2.
vhdtool 3 compare a.vhd c.vhd
stdout_is "The disks differ, first at byte 4195847 (0x400607)."
vhdtool 3 compare --json c.vhd a.vhd
json_is '[.equal, ."first-difference"] | @json' '[false,4195847]'

vhdtool 0 convert -O raw a.vhd a.img
vhdtool 0 compare -F raw a.vhd a.img
vhdtool 3 compare -f raw -F vhd a.img c.vhd
vhdtool 1 compare a.vhd a.img

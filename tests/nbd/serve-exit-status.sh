#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "vhdtool serve fails with the sentence and status of other commands"
export VHD_NBDKIT_PLUGIN=$PLUGIN
chain
python3 -B "$refvhd" damage V73 bad.vhd
vhdtool 1 serve --socket "$sock" bad.vhd
stderr_has '^vhdtool: .*bad.vhd'
vhdtool 7 serve --socket "$sock" mid.vhd
stderr_has 'stands on it'
mv base.vhd "$place"
vhdtool 6 serve --socket "$sock" leaf.vhd
vhdtool 6 serve -r --socket "$sock" leaf.vhd
vhdtool 0 serve --search "$place" leaf.vhd -- --run true
vhdtool 2 serve
vhdtool 1 serve --snapshot none leaf.vhd -- --run true
vhdtool 1 serve leaf.vhd --search "$place" -- colour=blue --run true
stderr_has "there is no parameter 'colour='"
PATH=/nonexistent vhdtool 1 serve --search "$place" leaf.vhd
stderr_has 'cannot run nbdkit'

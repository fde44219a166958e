#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "what is wrong with a disk is said at the start, in one sentence"

refused() # PATTERN ARGUMENT...
{
	local pattern=$1

	shift
	nbdkit 1 -f -U "$sock" "$PLUGIN" "$@"
	equal "$last: lines" 1 "$(wc -l <"$err")"
	stderr_has "^nbdkit: error: $pattern"
}

chain
vhdtool 0 create --parent leaf.vhd other.vhd
python3 -B "$refvhd" damage V73 bad.vhd
refused "there is no parameter 'colour='; try: nbdkit vhd --help" \
    leaf.vhd colour=blue
refused "which disk\?"
refused ".*: cannot open: No such file" nowhere.vhd
refused ".*is a directory" .
refused "dir= serves a whole directory.*leave file= out" leaf.vhd dir=.
refused "dir= serves a whole directory.*leave snapshot= out" dir=. snapshot=x
refused ".*/nowhere: cannot examine" dir=nowhere
refused ".*/leaf.vhd: is not a directory" other.vhd allow-dir=leaf.vhd
refused ".*leaf@no.vhd: cannot open" leaf.vhd snapshot=no
refused ".*none@no.vhd: cannot open" none.vhd snapshot=no
refused '"../x" cannot name a snapshot' leaf.vhd snapshot=../x
refused ".*bad.vhd: .*vhdtool check" bad.vhd
refused ".*leaf.vhd: not written to, because .*other.vhd stands on it.*readonly" \
    leaf.vhd
mv base.vhd "$place"
refused ".*mid.vhd.*base.vhd" other.vhd
refused ".*mid.vhd.*base.vhd" other.vhd readonly=true
nbdkit 0 -U - "$PLUGIN" other.vhd allow-dir="$place" --run 'nbdinfo "$uri"'

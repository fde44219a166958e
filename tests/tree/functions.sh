# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# functions.sh - what the tests of snapshots share, beside what all tests of
# vhdtool do.  HELPERS is the directory of the helper programs.

# In memory, where a flush costs nothing, unless the test or its caller wants
# another place.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
kind=tree
. "$(dirname "$0")/../cli/functions.sh"
: "${HELPERS:?the helper programs}"

guest() # DISK [FIRST COUNT VALUE]...
{
	"$HELPERS/guest" "$@" 2>"$err" ||
		fail "guest $*" "written" "$(cat "$err")"
}

# disk.vhd of 4 MiB with snapshots one and two, each with something written
# before and after.
disk()
{
	vhdtool 0 create --block-size 512K disk.vhd 4M
	guest disk.vhd 0 3000 1
	vhdtool 0 snapshot create disk.vhd one
	guest disk.vhd 100 1000 2 7000 10 3
	vhdtool 0 snapshot create disk.vhd two
	guest disk.vhd 2000 500 4
}

# Every file here with all that is to be seen of it, access times apart.
everything()
{
	find . -type f -exec sha256sum {} + | sort -k2
	find . -mindepth 1 -exec stat -c '%n %s %Y %Z %i %a %h %U' {} + | sort
}

# vhdtool must refuse with STATUS and one sentence, and change nothing.
refused() # STATUS PATTERN ARGUMENT...
{
	local want=$1 pattern=$2 before

	shift 2
	before=$(everything)
	vhdtool "$want" "$@"
	equal "$last: stdout" "" "$(cat "$out")"
	equal "$last: lines of the message" 1 "$(wc -l <"$err")"
	stderr_has "$pattern"
	equal "$last: what is there" "$before" "$(everything)"
}

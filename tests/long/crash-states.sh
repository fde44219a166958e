#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# crash-states.sh - look at very many states that a power cut may leave: of
# single images, of trees of snapshots, and of repairs.
#
#	tests/long/crash-states.sh [-b BUILD] [-j JOBS] [-t SECONDS] [-s SEED]
#	                           [STATES]
#
# STATES (200000000) are shared out over the JOBS (all cores) and over the
# three kinds, nearly all of them images; after SECONDS nothing new is begun.
# States that are the same as an earlier one are counted apart.  Ends with
# what was looked at, the rate, and 1 if there was a violation.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build/dev
jobs=$(nproc)
limit=0
seed=1
while getopts b:j:t:s: option; do
	case $option in
	b) build=$OPTARG ;;
	j) jobs=$OPTARG ;;
	t) limit=$OPTARG ;;
	s) seed=$OPTARG ;;
	*) sed -n '3,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
states=${1:-200000000}
[ -x "$build/tests/crash/crash_tree" ] || {
	echo "$build has no crash tests; build them, or name it with -b" >&2
	exit 2
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# one PROGRAM STATES SEED: a line "PROGRAM DIFFERENT POSSIBLE STATUS"
one()
{
	local out status

	out=$("$build/tests/crash/crash_$1" "$2" "$3" 2>&1)
	status=$?
	[ $status = 0 ] || printf '%s\n' "$out" >&2
	sed -nE "s/^([0-9]+) states( of ([0-9]+))?.*/$1 \1 \3 $status/p" \
	    <<<"$out" | awk '{ print NF < 4 ? $1 " " $2 " " $2 " " $3 : $0 }'
	return $status
}

# worker NUMBER STATES: small parts, in turn
worker()
{
	local left=$2 at=$((seed + $1 * 1000000000)) program part

	while [ "$left" -gt 0 ]; do
		for program in image tree repair; do
			case $program in
			image) part=492500 ;;
			tree) part=5000 ;;
			repair) part=2500 ;;
			esac
			[ "$left" -ge 500000 ] ||
				part=$((part * left / 500000 + 1))
			[ "$limit" = 0 ] || [ $SECONDS -lt "$limit" ] || return 0
			one $program $part $at || return 1
		done
		left=$((left - 500000))
		at=$((at + 1000000))
	done
}

for ((i = 0; i < jobs; i++)); do
	worker $i $((states / jobs)) >"$scratch/$i" &
done
bad=0
for job in $(jobs -p); do
	wait "$job" || bad=1
done
cat "$scratch"/* | awk -v seconds=$SECONDS '
	{ n[$1] += $2; of[$1] += $3; all += $2; possible += $3; bad += $4 }
	END {
		for (k in n)
			printf "%-7s %12d states of %d\n", k, n[k], of[k]
		printf "%12d states of %d in %d s, %d a second, " \
		    "%d violations\n", all, possible, seconds,
		    all / (seconds ? seconds : 1), bad
	}'
exit $bad

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a deletion that was killed is carried on by the same command, without \
copying again what was moved"
requires jq
vhdtool 0 create --block-size 512K disk.vhd 4M
guest disk.vhd 0 8192 1
vhdtool 0 snapshot create disk.vhd one
for block in 0 1 2 3 4 5 6 7; do
	guest disk.vhd $((1024 * block + 100)) 300 2
done
want=$(content disk.vhd)
vhdtool 0 snapshot create disk.vhd two
guest disk.vhd 0 100 3
live=$(content disk.vhd)
mkdir "$place/before"
cp -a --sparse=always . "$place/before"
vhdtool 0 snapshot delete --dry-run --json disk.vhd one
all=$(json '."bytes-to-copy"')
less=no kills=0
for n in 2 6 12 18 24 32 45 70 100; do
	rm -f -- *
	cp -a --sparse=always "$place/before/." .
	"$HELPERS/kill_at" $n "$VHDTOOL" snapshot delete disk.vhd one \
	    2>"$err" >"$out"
	killed=$?
	[ $killed = 77 ] && skip "programs cannot be traced here"
	[ $killed = 0 ] && break
	equal "kill_at $n: $(cat "$err")" 137 $killed
	kills=$((kills + 1))
	equal "content of two, killed at $n" "$want" \
	    "$(content disk@two.vhd)"
	equal "content of the disk, killed at $n" "$live" "$(content disk.vhd)"
	if "$VHDTOOL" snapshot delete --progress=json disk.vhd one 2>"$err"; then
		done=$(grep '^{' "$err" | jq -rs 'last | .done // 0')
		[ "${done:-0}" -lt "$all" ] && less=yes
	elif ! grep -q 'has no snapshot' "$err"; then
		fail "again, after a kill at $n" "done" "$(cat "$err")"
	fi
	equal "files, killed at $n" "disk.vhd disk@two.vhd" \
	    "$(ls -A | xargs)"
	equal "two, carried on at $n" "$want" "$(content disk@two.vhd)"
	equal "the disk, carried on at $n" "$live" "$(content disk.vhd)"
done
[ $kills -ge 5 ] || fail "kills" "5 or more" $kills
equal "was ever less copied than from the start?" yes $less

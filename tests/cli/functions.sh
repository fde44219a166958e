# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# functions.sh - what the tests of vhdtool share.
#
# A test sources this, says its claim, and then works in an empty directory of
# its own.  VHDTOOL is the program and SOURCE the source tree.

set -u
test=$(basename "$0" .sh)
: "${VHDTOOL:?the program under test}" "${SOURCE:?the source tree}"
unset POSIXLY_CORRECT
export LC_ALL=C.UTF-8
refvhd=$SOURCE/tests/support/refvhd.py
place=$(mktemp -d "${TMPDIR:-/tmp}/vhd-cli.XXXXXX") || exit 99
trap 'rm -rf "$place"' EXIT
mkdir "$place/images"
cd "$place/images" || exit 99
out=$place/out err=$place/err # of the last run
status=0 last=

claim() # SENTENCE
{
	claim=$1
}

skip() # WHY
{
	echo "SKIP $test: $1"
	exit 77
}

requires() # PROGRAM...
{
	local program

	for program; do
		command -v "$program" >/dev/null || skip "no $program"
	done
}

fail() # WHAT EXPECTED GOT
{
	printf 'FAIL %s: %s\n  %s\n  expected: %s\n  got:      %s\n' \
	    "$test" "$claim" "$1" "$2" "$3"
	printf '  rerun:    ctest -R %s-%s --output-on-failure\n' \
	    "${kind:-cli}" "$test"
	exit 1
}

equal() # WHAT EXPECTED GOT
{
	[ "$2" = "$3" ] || fail "$1" "$2" "$3"
}

# Run vhdtool; its exit status must be STATUS.
vhdtool() # STATUS ARGUMENT...
{
	local want=$1

	shift
	last="vhdtool $*"
	"$VHDTOOL" "$@" >"$out" 2>"$err" </dev/null
	status=$?
	[ $status -eq "$want" ] ||
		fail "$last" "exit $want" "exit $status: $(head -c 400 "$err")"
}

stdout_is() # TEXT
{
	equal "$last: stdout" "$1" "$(cat "$out")"
}

stderr_has() # PATTERN
{
	grep -qE -- "$1" "$err" || fail "$last: stderr" "/$1/" "$(cat "$err")"
}

stdout_has() # PATTERN
{
	grep -qE -- "$1" "$out" || fail "$last: stdout" "/$1/" "$(cat "$out")"
}

# What jq makes of the last answer.
json() # FILTER
{
	jq -cr "$1" "$out" || fail "$last" "JSON" "$(head -c 400 "$out")"
}

json_is() # FILTER VALUE
{
	local got

	got=$(json "$1") || { echo "$got"; exit 1; }
	equal "$last: $1" "$2" "$got"
}

# Every command, one a line; those of a group with its name.
commands()
{
	local name more

	"$VHDTOOL" --commands | while read -r name; do
		if more=$("$VHDTOOL" "$name" --commands 2>/dev/null); then
			sed "s/^/$name /" <<<"$more"
		else
			echo "$name"
		fi
	done
}

# Make an image from a recipe on stdin, without the library under test.
image() # FILE
{
	requires python3
	python3 -B "$refvhd" make - "$1" || exit 99
}

# The hash of what a guest of FILE sees, told without the library under test.
content() # FILE
{
	python3 -B "$refvhd" hash "$1" | cut -d' ' -f1
}

# Everything about files that a reader may not change.
state() # FILE...
{
	sha256sum -- "$@" && stat -c '%n %s %y %i %a' -- "$@"
}

# Three images: base.vhd, mid.vhd on it, leaf.vhd on that; all of 10 MiB.
chain()
{
	printf '%s\n' 'type dynamic' 'size 10M' 'block 0 = pattern 1' \
	    'block 1 bits 0-99 = pattern 1' | image base.vhd
	printf '%s\n' 'type differencing' 'size 10M' 'parent base.vhd' \
	    'block 1 bits 50-149 = pattern 2' \
	    'block 2 = pattern 2' | image mid.vhd
	printf '%s\n' 'type differencing' 'size 10M' 'parent mid.vhd' \
	    'block 2 bits 8-15 = pattern 3' \
	    'block 4 bits 0-7 = pattern 3' | image leaf.vhd
}

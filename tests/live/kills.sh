#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kills.sh [CYCLES [SEED]] - see kills.py; by CTest 30 cycles.
. "$(dirname "$0")/functions.sh"
claim "server and vhdtool, killed at any instant of any job, lose nothing flushed"
mkdir "$place/small"
small=
if [ "$(id -u)" = 0 ] &&
    mount -t tmpfs -o size=160M none "$place/small" 2>/dev/null; then
	trap 'cd /; umount -l "$place/small"; rm -rf "$place"' EXIT
	small=--small
fi
cd "$place/small" || exit 99
python3 -B "$SOURCE/tests/live/kills.py" $small --cycles "${1:-30}" \
    --seed "${2:-$RANDOM}" --vhdtool "$VHDTOOL" --plugin "$PLUGIN" \
    --preload "$PRELOAD" --socket "$sock" --log "$place/log" >"$out" 2>"$err" ||
	fail "$(tail -n 1 "$out")" "every page as written" "$(cat "$err")"
tail -n 1 "$out"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# "format 9.3" in a comment is a section of docs/format.md.
cd "$1" || exit 99
. tests/lint/sources.sh
bad=0

sections=$(sed -nE 's/^##+ ([0-9]+(\.[0-9]+)?)\.? .*/\1/p' docs/format.md)
mapfile -t files < <(sources '*.[ch]' '*.py')
while IFS=: read -r file line cited; do
	grep -qxF "${cited#format }" <<<"$sections" && continue
	echo "$file:$line: docs/format.md has no section ${cited#format }"
	bad=1
done < <(grep -noE '\<format [0-9]+(\.[0-9]+)?' "${files[@]}" /dev/null)
exit $bad

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# "format 9.3" in a comment is a section of docs/format.md; D1, P1 and so on are
# rules of docs/durability.md, each cited in the library, and by a test or the
# mistake that breaks it.
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

mistakes=libvhd/image/mutant.h
mapfile -t library < <(sources '*.[ch]' | grep "^libvhd/" | grep -vx $mistakes)
mapfile -t tests < <(sources '*.[ch]' '*.py' '*.sh' | grep "^tests/")
rules=$(seq -f D%g 9; seq -f P%g 27)

while IFS=: read -r file line cited; do
	grep -qxF "$cited" <<<"$rules" && continue
	echo "$file:$line: docs/durability.md has no rule $cited"
	bad=1
done < <(grep -noE '\<[DP][0-9]+\>' "${library[@]}" $mistakes)
for rule in $rules; do
	grep -qE "^(- \*\*|\|.*\<)$rule\>" docs/durability.md ||
		{ echo "docs/durability.md: no rule $rule"; bad=1; }
	grep -q "^| $rule | not used" docs/durability.md && continue
	grep -qw "$rule" "${library[@]}" ||
		{ echo "libvhd: nobody cites $rule"; bad=1; }
	grep -qw "$rule" "${tests[@]}" $mistakes ||
		{ echo "tests: nobody cites $rule"; bad=1; }
done
exit $bad

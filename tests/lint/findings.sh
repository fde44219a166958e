#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every rule of the check has its row in docs/format.md, with its severity
# among those named and a star if it can be repaired; and every row a rule.
cd "$1" || exit 99
rules=libvhd/image/findings.h doc=docs/format.md bad=0

complain()
{
	echo "$doc: $*"
	bad=1
}

while read -r code severity repairable; do
	row=$(grep -E "^\| $code \|" "$doc")
	if [ -z "$row" ]; then
		complain "no row for $code"
		continue
	fi
	named=$(cut -d'|' -f3 <<<"$row")
	[[ $named == *${severity,,}* ]] ||
		complain "$code is '${severity,,}' in $rules, not '$named'"
	star=false
	[[ $named == *'*'* ]] && star=true
	[ $star = "$repairable" ] ||
		complain "$code: repairable is $repairable, the star says $star"
done < <(sed -nE 's/.*R\((V[0-9]+), VHD_([A-Z]+), ([a-z]+)\).*/\1 \2 \3/p' \
	$rules)

while read -r code; do
	grep -q "R($code," $rules || complain "$code is no rule"
done < <(sed -nE 's/^\| (V[0-9]+) \|.*/\1/p' "$doc")
exit $bad

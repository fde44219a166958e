#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every path of this repository that a document names exists.
cd "$1" || exit 99
shopt -s nullglob
docs=(*.md docs/*.md)
tops='libvhd|vhdtool|fuse|nbdkit-plugin|include|tests|bench|docs|completions'
tops="$tops|cmake|\.ci"
bad=0

# Words that begin with a folder of ours, as file:line:path.  A word with a
# placeholder such as <floor> or an ellipsis names no file.
named()
{
	grep -noE "(^|[][ \`(\"'|])($tops)/[^][ \`()\"'|,;]*" "$@" /dev/null |
		grep -vE '[<>$…]' |
		sed -E "s/:[][ \`(\"'|]/:/; s/[.:]+\$//"
}

while IFS=: read -r file line path; do
	[ -e "$path" ] && continue
	# A pattern such as libvhd/*/README is fine when something matches.
	# shellcheck disable=SC2206
	matches=($path)
	[ ${#matches[@]} -gt 0 ] && [ -e "${matches[0]}" ] && continue
	echo "$file:$line: $path does not exist"
	bad=1
done < <([ ${#docs[@]} -gt 0 ] && named "${docs[@]}")

# Links between documents: ](name.md) and ](../name).
while IFS=: read -r file line link; do
	target=${link#](}
	target=${target%%[#)]*}
	case $target in
	''|*://*|mailto:*) continue ;;
	esac
	[ -e "$(dirname "$file")/$target" ] && continue
	echo "$file:$line: link to $target, which does not exist"
	bad=1
done < <([ ${#docs[@]} -gt 0 ] && grep -noE '\]\([^)]*\)' "${docs[@]}" /dev/null)
exit $bad

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# docs/control.md has every command that a server knows and every argument that
# it looks at, and no other command.
cd "$1" || exit 99
code=(libvhd/control/commands.c libvhd/control/works.c libvhd/control/runs.c)
bad=0

known=$(grep -ohE '\{"[a-z_-]+", [a-z_]+\}' "${code[@]}" | cut -d '"' -f 2 |
	sort)
table=$(sed -n '/^## Commands/,/^Speeds/p' docs/control.md)
told=$(grep -oE '^\| `[^|]*' <<<"$table" | grep -oE '[a-z]+[a-z_-]*' | sort)
while read -r name; do
	echo "docs/control.md and libvhd/control do not agree on $name"
	bad=1
done < <(comm -3 <(echo "$known") <(echo "$told") | tr -d '\t')
for key in $(grep -ohE '(json_object_get|named_layer)\([^"]*"[a-z-]+"' \
    "${code[@]}" | cut -d '"' -f 2 | sort -u); do
	case $key in
	execute | arguments) continue ;; # of every request
	esac
	grep -qF "\`$key\`" <<<"$table" ||
		{ echo "docs/control.md: no argument $key"; bad=1; }
done
exit $bad

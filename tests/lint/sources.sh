# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# sources.sh - what the rules look at; sourced by each.

# sources GLOB...: every file of ours with such a name, one a line.
sources()
{
	local name args=()

	for name; do
		args+=(-o -name "$name")
	done
	find . \( -name .git -o -name build -o -name 'build-*' \) -prune \
	    -o -type f \( "${args[@]:1}" \) -print | sed 's,^\./,,' | sort
}

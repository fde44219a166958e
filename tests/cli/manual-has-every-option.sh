#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "the manual and the program agree on commands, aliases and options"
manual=$SOURCE/docs/man/vhdtool.1

section() # KIND NAME: the lines of a section
{
	awk -v head="$1 $2" '$0 == head { on = 1; next }
	    /^\.S[hs] / { on = 0 } on' "$manual"
}

# "--name" for each Fl macro of the lines, in their order.
flags()
{
	grep -oE 'Fl (-[a-z-]+|[a-zA-Z])' | sed 's/^Fl /-/'
}

# The long form of short options, as their own list says it.
long_forms() # COMMAND
{
	sed -E "$(section .Ss "$1" | sed -nE \
	    's|^\.It Fl ([a-zA-Z]) , -([a-z-]+).*|s/^-\1$/--\2/;|p' |
	    tr -d '\n')"
}

common=$(section .Sh "COMMON OPTIONS" | grep '^\.It' | sed 's/, -/Fl -/' |
    flags | sort -u)
commands >"$place/commands"
equal "commands in the manual" "$(sort "$place/commands")" \
    "$(awk '/^\.Sh/ { on = $2 == "COMMANDS" }
    on && $1 == ".Ss" { sub(/^\.Ss /, ""); print }' "$manual" | sort)"
while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	vhdtool 0 $command --long-options
	has=$(grep -vx -e --help "$out" | sort)
	synopsis=$(section .Ss "$command" | awk '/^\.Bl/ { exit } 1' |
	    grep -E '^\.(Op|Fl|Oo)' | flags | long_forms "$command" | sort -u)
	equal "$command: options of the synopsis" "$has" "$synopsis"
	listed=$(section .Ss "$command" | grep '^\.It' | sed 's/ , -/ Fl -/g' |
	    flags | grep '^--')
	for option in $has; do
		grep -qxe "$option" <<<"$listed"$'\n'"$common" ||
			fail "$command: $option" "an entry in the manual" none
	done
	for option in $listed; do
		grep -qxe "$option" <<<"$has" ||
			fail "$command: $option in the manual" \
			    "an option of the program" "none of that name"
	done
	# shellcheck disable=SC2086
	"$VHDTOOL" $command --help | sed -n 's/^Also called: //p' |
	    tr -d , | tr ' ' '\n' | while read -r alias; do
		section .Ss "$command" | grep -qx "\.Cm $alias ." ||
		section .Ss "$command" | grep -qx "\.Cm $alias" ||
			fail "$command: alias $alias" "in the manual" "missing"
	done || exit 1
done <"$place/commands"

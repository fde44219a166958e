# SPDX-License-Identifier: BSD-3-Clause
# vhdtool.bash - completion for bash.  It holds no command and no option: the
# program itself is asked for them.

_vhdtool()
{
	local tool=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} command=(${COMP_WORDS[1]})
	local words

	# A group has commands of its own.
	if [ "$COMP_CWORD" -gt 2 ] &&
	    "$tool" "${command[@]}" --commands >/dev/null 2>&1; then
		command+=("${COMP_WORDS[2]}")
	fi
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$("$tool" --commands 2>/dev/null
			"$tool" --long-options 2>/dev/null)
	elif [ "$COMP_CWORD" -eq 2 ] && [ "${word:0:1}" != - ] &&
	    words=$("$tool" "${command[@]}" --commands 2>/dev/null); then
		:
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
		words=$("$tool" "${command[@]}" --choices="$before" 2>/dev/null)
	elif [ "$word" = = ]; then
		word=
		words=$("$tool" "${command[@]}" --choices="$before" 2>/dev/null)
	elif [ "${word:0:1}" = - ]; then
		words=$("$tool" "${command[@]}" --long-options 2>/dev/null)
	else
		words=$("$tool" "${command[@]}" --choices="$before" 2>/dev/null)
	fi
	COMPREPLY=()
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _vhdtool vhdtool

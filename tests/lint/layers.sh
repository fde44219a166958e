#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Nothing walks up: a floor includes itself and the floors below it; a front
# end sees its own folder and <vhd.h>; some powers belong to one floor alone.
cd "$1" || exit 99
bad=0

report() # report LINES WHY
{
	[ -z "$1" ] && return
	printf '%s\n    %s\n' "$1" "$2"
	bad=1
}

includes() # includes FOLDER: its quoted includes, as file:line:text
{
	grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
	    --include='*.[ch]' "$1"
}

floor() # floor NAME BELOW...
{
	local name=$1 ok

	[ -d "libvhd/$name" ] || return
	ok=$(printf '%s/|' "$@")
	report "$(includes "libvhd/$name" | grep -vE "\"(${ok%|})")" \
	    "libvhd/$name may include only: $*"
}

floor base
floor io      base
floor format  base
floor image   format io base
floor chain   image format io base
floor job     chain image format io base
floor tree    job chain image format io base
floor control tree job chain image format io base

for room in libvhd/*/; do
	room=${room%/}
	case ${room#libvhd/} in
	base|io|format|image|chain|job|tree|control) ;;
	*) report "$room" "no such floor in the plan" ;;
	esac
done

# A front end: every quoted include is a file of its own folder.
for room in vhdtool fuse nbdkit-plugin; do
	while IFS=: read -r file line text; do
		name=${text#*\"}
		name=${name%%\"*}
		case $name in
		*/*) own= ;;
		*) own=$room/$name ;;
		esac
		[ -f "$own" ] ||
			report "$file:$line: $name" \
			    "$room may include only its own files and <vhd.h>"
	done < <(includes "$room")
done

# calls FLOORS NAMES: calls of these functions, not of members so named.
calls()
{
	# shellcheck disable=SC2086 # a list of folders
	grep -rnE "(^|[^A-Za-z0-9_.>])($2)\(" --include='*.[ch]' $1 |
		grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)'
}

all='libvhd/base libvhd/format libvhd/image libvhd/chain libvhd/job'
[ -d libvhd/tree ] && all="$all libvhd/tree"
report "$(calls "$all" 'open|openat|p?(read|write)v?|f(data)?sync|ftruncate|fallocate|lseek|ioctl|flock|fcntl|mmap|f?stat|fstatat|rename(at2?)?|unlink(at)?|link(at)?|opendir|readlink|realpath')" \
    "only libvhd/io touches files"
report "$(calls libvhd/format 'malloc|calloc|realloc|time|clock_gettime|gettimeofday|fopen|printf')" \
    "libvhd/format is pure"
report "$(calls libvhd '(hto|be|le)[a-z]*(16|32|64)(toh)?|[hn]to[hn][sl]|bswap_[0-9]+|__builtin_bswap[0-9]+' |
	grep -vE 'libvhd/base/bytes\.h|(load|store)_')" \
    "only libvhd/base/bytes.h knows byte order"
report "$(calls libvhd 'printf|puts|perror|exit|abort')" \
    "the library prints nothing and never exits"
exit $bad

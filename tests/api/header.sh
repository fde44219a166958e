#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# vhd.h compiles alone, and its _INIT macros with it, without a warning.
# usage: header.sh STANDARD INCLUDE COMPILER
standard=$1 include=$2 compiler=$3 language=c
case $standard in
c++*)
	language=c++
	compiler=${CXX:-c++}
	command -v "$compiler" >/dev/null || {
		echo "no C++ compiler"
		exit 77
	}
	;;
esac

# Every _INIT macro starts a variable of its struct.
{
	echo '#include <vhd.h>'
	echo 'int use(void);'
	echo 'int use(void) {'
	sed -nE 's/^#define VHD_([A-Z_]+)_INIT\>.*/\1/p' "$include/vhd.h" |
	while read -r name; do
		low=${name,,}
		echo "struct vhd_$low $low = VHD_${name}_INIT;"
		echo "if ($low.struct_size != sizeof $low) return 1;"
	done
	echo 'return 0; }'
} | "$compiler" -std="$standard" -Wall -Wextra -pedantic -Werror -fsyntax-only \
	-I"$include" -x $language -

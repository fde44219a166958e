#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A struct that can grow begins with struct_size and has an _INIT macro that
# sets it and leaves all else zero.
# usage: options.sh INCLUDE COMPILER
include=$1 compiler=$2 bad=0
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# name:first for each struct with a struct_size; first says whether it leads.
growing=$(awk '
	/^struct vhd_[a-z_]+ \{/ { name = $2; fields = 0 }
	name && /;/ {
		fields++
		if (/size_t struct_size;/)
			print name ":" (fields == 1 ? "first" : "late")
	}
	/^};/ { name = "" }' "$include/vhd.h")
[ -n "$growing" ] || { echo "no struct_size in $include/vhd.h"; exit 1; }

{
	echo '#include <vhd.h>'
	echo '#include <stdio.h>'
	echo '#include <string.h>'
	echo 'int main(void) { int bad = 0;'
} >"$scratch/init.c"
for struct in $growing; do
	name=${struct%:*}
	macro=${name^^}_INIT
	if [ "${struct#*:}" = late ]; then
		echo "struct $name: struct_size is not its first field"
		bad=1
	fi
	if ! grep -q "^#define $macro\>" "$include/vhd.h"; then
		echo "struct $name: no $macro"
		bad=1
		continue
	fi
	cat >>"$scratch/init.c" <<-END
	{
		static struct $name v = $macro, zero;

		if (v.struct_size != sizeof(v)) {
			puts("$macro does not set struct_size");
			bad = 1;
		}
		v.struct_size = 0;
		if (memcmp(&v, &zero, sizeof(v))) {
			puts("$macro sets more than struct_size");
			bad = 1;
		}
	}
	END
done
echo 'return bad; }' >>"$scratch/init.c"
"$compiler" -I"$include" -o "$scratch/init" "$scratch/init.c" &&
	"$scratch/init" || bad=1
exit $bad

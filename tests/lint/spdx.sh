#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every source file says its licence in its first line, or in the second when
# the first is for the kernel.
cd "$1" || exit 99
. tests/lint/sources.sh
bad=0

while read -r file; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' &&
		continue
	echo "$file:1: no SPDX line"
	bad=1
done < <(sources '*.[ch]' '*.cc' '*.sh' '*.py' '*.cmake' CMakeLists.txt;
         grep -rlE --exclude-dir=.git --exclude-dir='build*' -m1 \
             '^#!.*(sh|python3?)$' . | sed 's,^\./,,')
exit $bad

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# other-machines.sh - the unit and model tests on a 32-bit machine (i386) and
# on a big-endian one (s390x, under qemu-user).
#
#	bash tests/other-machines.sh [i386|s390x]...
#
# Needs root for the cross compilers; the libraries of the other machines are
# unpacked into a directory of their own and not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${OTHER_MACHINES:-$PWD/build/other}

declare -A triplet=([i386]=i686-linux-gnu [s390x]=s390x-linux-gnu)
declare -A libdir=([i386]=i386-linux-gnu [s390x]=s390x-linux-gnu)
libraries="uuid-dev libuuid1 zlib1g zlib1g-dev libjansson4 libjansson-dev
libcmocka0 libcmocka-dev"

compilers()
{
	local need="qemu-user"
	for arch in "$@"; do
		need="$need gcc-${triplet[$arch]} libc6-dev-$arch-cross"
	done
	# shellcheck disable=SC2086
	dpkg -s $need >/dev/null 2>&1 ||
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends $need >/dev/null
}

# The machine's package lists stay as they are.
sysroot()
{
	local arch=$1 dir=$root/$1/apt
	[ -e "$root/$arch/sysroot/usr" ] && return
	mkdir -p "$dir"/{lists/partial,cache/archives/partial} \
		"$root/$arch/sysroot"
	cp /var/lib/dpkg/status "$dir/status"
	local apt=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch"
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o "Dir::State::status=$dir/status")
	apt-get "${apt[@]}" update -qq || echo "not every list could be had" >&2
	(
		cd "$dir"
		# shellcheck disable=SC2086
		apt-get "${apt[@]}" download -qq $libraries
		for deb in ./*.deb; do
			dpkg-deb -x "$deb" "$root/$arch/sysroot"
		done
	)
}

toolchain()
{
	local arch=$1 s=$root/$1/sysroot l=${libdir[$1]}
	cat >"$root/$arch/toolchain.cmake" <<-END
	set(CMAKE_SYSTEM_NAME Linux)
	set(CMAKE_SYSTEM_PROCESSOR $arch)
	set(CMAKE_C_COMPILER ${triplet[$arch]}-gcc)
	set(CMAKE_C_FLAGS_INIT "-Wno-psabi -isystem $s/usr/include -isystem $s/usr/include/$l")
	set(CMAKE_EXE_LINKER_FLAGS_INIT "-L$s/usr/lib/$l -L$s/lib/$l -Wl,-rpath-link,$s/usr/lib/$l -Wl,-rpath-link,$s/lib/$l")
	set(CMAKE_SHARED_LINKER_FLAGS_INIT "-L$s/usr/lib/$l -L$s/lib/$l")
	set(CMAKE_FIND_ROOT_PATH $s)
	set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
	set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
	END
}

build()
{
	local arch=$1 s=$root/$1/sysroot l=${libdir[$1]}
	PKG_CONFIG_SYSROOT_DIR=$s \
	PKG_CONFIG_LIBDIR=$s/usr/lib/$l/pkgconfig:$s/usr/share/pkgconfig \
		cmake -G Ninja -S . -B "$root/$arch/build" \
		--toolchain "$root/$arch/toolchain.cmake" \
		-DCMAKE_BUILD_TYPE=RelWithDebInfo -DVHD_FUSE=OFF \
		-DVHD_NBDKIT=OFF -DZLIB_LIBRARY="$s/usr/lib/$l/libz.a" \
		-DZLIB_INCLUDE_DIR="$s/usr/include" >/dev/null
	cmake --build "$root/$arch/build" -j "$(nproc)"
}

# Programs of the other machine, run with its own libraries.
run()
{
	local arch=$1 s=$root/$1/sysroot l=${libdir[$1]} emulator=qemu-$1
	local failed=0 passed=0
	local t=/usr/${triplet[$1]}
	shift
	for program in "$@"; do
		# shellcheck disable=SC2086
		if "$emulator" -L "$t" \
			-E "LD_LIBRARY_PATH=$t/lib:$s/usr/lib/$l:$s/lib/$l" \
			$program >"$root/$arch/log" 2>&1; then
			passed=$((passed + 1))
		else
			echo "FAILED on $arch: $program"
			tail -n 20 "$root/$arch/log"
			failed=$((failed + 1))
		fi
	done
	echo "$arch: $passed passed, $failed failed"
	[ $failed = 0 ]
}

[ $# -gt 0 ] || set -- i386 s390x
mkdir -p "$root"
compilers "$@"
status=0
for arch in "$@"; do
	sysroot "$arch"
	toolchain "$arch"
	build "$arch"
	b=$root/$arch/build/tests
	run "$arch" "$b"/unit/unit-{base,format,image,chain,job,tree}-* \
		"$b/model/model --ops 5000 --seed 3" || status=1
done
exit $status

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# setup.sh - from a bare Debian 12 to a working libvhd.
#
#	bash setup.sh demo	install, build, and do the main job on a real disk
#	bash setup.sh test	install, build, and pass the tests
#	bash setup.sh packages	only install what both need
#
# Packages are installed with apt when this runs as root, or through sudo.
set -euo pipefail
cd "$(dirname "$0")"

need="build-essential cmake ninja-build pkg-config uuid-dev zlib1g-dev
libjansson-dev libnbd-dev nbdkit nbdkit-plugin-dev libnbd-bin libfuse3-dev fuse3"
peers="libcmocka-dev python3-libnbd nbdfuse python3 jq bc man-db
qemu-utils qemu-system-x86 7zip libvhdi-utils e2fsprogs ntfs-3g dosfstools
mtools xfsprogs btrfs-progs fdisk gdisk fio clang clang-format
libclang-rt-14-dev attr acl strace bzip2 xz-utils gnutls-bin libcap2-bin
util-linux procps git"

packages()
{
	local sudo="" missing=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	echo "installing:$missing"
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
	# shellcheck disable=SC2086
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $missing >/dev/null
}

build()
{
	cmake --preset "$1" >/dev/null
	cmake --build --preset "$1" -j "$(nproc)" >/dev/null
}

case "${1:-}" in
demo)
	# shellcheck disable=SC2086
	packages $need python3 e2fsprogs qemu-utils 7zip fio
	cmake --preset release -DVHD_TESTS=OFF >/dev/null
	cmake --build --preset release -j "$(nproc)" >/dev/null
	exec bash docs/demo.sh "$PWD/build/release"
	;;
test)
	# shellcheck disable=SC2086
	packages $need $peers
	build dev
	exec ctest --preset dev
	;;
packages)
	# shellcheck disable=SC2086
	packages $need $peers
	;;
*)
	sed -n '3,9s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac

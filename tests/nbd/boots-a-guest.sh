#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
. "$(dirname "$0")/functions.sh"
claim "a machine boots from a differencing disk, reads both images, and writes"
requires qemu-system-x86_64
vhdtool 0 create base.vhd 4M

# Sector 0, in the parent: a boot sector of ours.  It reads the sector 1, which
# is in the child, prints it on the first serial port, writes it to sector 2,
# and ends the machine by its debug exit device.
python3 - >boot.img <<'P'
import struct, sys
code = bytes([
    0xfa,                   # cli
    0x31, 0xc0,             # xor ax, ax
    0x8e, 0xd8,             # mov ds, ax
    0x8e, 0xc0,             # mov es, ax
    0x8e, 0xd0,             # mov ss, ax
    0xbc, 0x00, 0x7c,       # mov sp, 0x7c00
    0xfb,                   # sti
    0xbb, 0x00, 0x7e,       # mov bx, 0x7e00
    0xb9, 0x02, 0x00,       # mov cx, 2: cylinder 0, the second sector
    0x30, 0xf6,             # xor dh, dh: head 0 (dl: our drive)
    0xb8, 0x01, 0x02,       # mov ax, 0x0201: read one sector
    0xcd, 0x13,             # int 0x13
    0x72, 0x1a,             # jc end
    0xb9, 0x03, 0x00,       # mov cx, 3
    0xb8, 0x01, 0x03,       # mov ax, 0x0301: write one sector
    0xcd, 0x13,             # int 0x13
    0x72, 0x10,             # jc end
    0xbe, 0x00, 0x7e,       # mov si, 0x7e00
    0xfc,                   # cld
    # next:
    0xac,                   # lodsb
    0x84, 0xc0,             # test al, al
    0x74, 0x06,             # jz end
    0xba, 0xf8, 0x03,       # mov dx, 0x3f8
    0xee,                   # out dx, al
    0xeb, 0xf5,             # jmp next
    0x90,                   # nop
    # end:
    0xb0, 0x10,             # mov al, 0x10
    0xba, 0x01, 0x05,       # mov dx, 0x501
    0xee,                   # out dx, al: exit status 0x10 * 2 + 1
    0xf4,                   # hlt
])
sys.stdout.buffer.write(code.ljust(510, b'\0') + b'\x55\xaa')
P
printf 'Hello from the child\r\n' >text.img
truncate -s 512 text.img
nbdkit 0 -U - "$PLUGIN" base.vhd --run 'nbdcopy boot.img "$uri"'
vhdtool 0 create --parent base.vhd child.vhd
serve "$PLUGIN" child.vhd
io "$uri" "write -s text.img 512 512" flush
run 33 qemu-system-x86_64 -accel tcg -m 16 -nodefaults -display none \
    -no-reboot -serial file:"$place/serial" \
    -device isa-debug-exit,iobase=0x501 \
    -drive file="nbd:unix:$sock",format=raw,if=ide
equal "the serial port" "Hello from the child" "$(tr -d '\r' <"$place/serial")"
stop
python3 -B "$refvhd" raw child.vhd child.raw
run 0 cmp -n 512 -i 0:1024 text.img child.raw
sound child.vhd

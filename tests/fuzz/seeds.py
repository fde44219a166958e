#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""seeds.py OUT - write the first corpus of every fuzz target to OUT/TARGET/.

Small images of every kind and dialect, sound ones and ones with a single
defect, made by tests/support/vhdmake.py; so no binary file is kept here.
"""
import os
import random
import struct
import sys
import tempfile

from vhdmake import Recipe, encode_locator

KiB = 1024
OPS = random.Random(1)


def dynamic(**fields):
    fields = {'size': 64 * KiB, 'block_size': 4 * KiB, **fields}
    return Recipe(**fields).block(0, fill=1).block(3, [(1, 2), (7, 1)], fill=2)


def fixed(**fields):
    return Recipe('fixed', size=16 * KiB, **fields).write(0, 4 * KiB, 3)


def images():
    """name, recipe: one of each kind, and one for each way to be strange."""
    for dialect in ('win', 'vpc', 'qemu', 'qem2', 'vbox', 'tap', 'd2v',
                    'caml', 'xo'):
        yield dialect, dynamic(dialect=dialect)
    yield 'blocks-512', dynamic(block_size=512, size=8 * KiB)
    yield 'blocks-2m', Recipe(size=8 << 20)
    yield 'odd-size', dynamic(size=61 * KiB)
    yield 'packed', dynamic(align=512)
    yield 'last-first', dynamic(
        layout='header@0x200 bat@0x600 block:3 block:0 footer')
    yield 'bat-last', dynamic(
        layout='header@0x200 block:0 block:3 bat footer')
    yield 'gap', dynamic(layout='header@0x200 bat@0x600 gap:8192 blocks '
                                'gap:4096 footer')
    yield 'more-entries', dynamic(extra_entries=200)
    yield 'garbage', dynamic().block(5, [(0, 1)], fill=5, garbage=6)
    yield 'empty-bitmap', dynamic().block(6, [], garbage=7)
    yield 'fixed', fixed()
    yield 'fixed-511', fixed(end='511')
    yield 'fixed-padded', fixed().append(bytes(8 * KiB))
    yield 'fixed-cut', fixed(footer={'size': 64 * KiB})
    yield 'end-missing', dynamic(end='none')
    yield 'copy-missing', dynamic(copy='none')
    yield 'copies-differ', dynamic(copy={'timestamp': 1})
    yield 'saved', dynamic(footer={'saved_state': 1})
    yield 'orphan', Recipe('differencing', size=64 * KiB, block_size=4 * KiB,
                           parent_uuid=b'p' * 16,
                           dialect='vbox', parent_name='base.vhd').block(2, [(0, 3)], fill=8)
    for value in (0, 1, 4, 0xfffffffe, 0x80000000):
        yield 'entry-%x' % value, dynamic().bat_entry(7, value)


def made(recipe, path):
    recipe.write_file(path)
    with open(path, 'rb') as f:
        return f.read()


def joined(*parts):
    return b''.join(struct.pack('<I', len(p)) + p
                    for p in parts[:-1]) + parts[-1]


def operations(n):
    """A byte for the window, then eight for each request."""
    out = bytes([OPS.randrange(2)])
    for _ in range(n):
        out += bytes([OPS.randrange(8), OPS.randrange(256), 0,
                      OPS.randrange(256), OPS.randrange(256),
                      OPS.choice((0, 0x80)), OPS.randrange(0x40),
                      OPS.randrange(256)])
    return out


def chains(scratch):
    """leaf, middle, root, with blocks of different sizes."""
    shapes = {'equal': (4, 4, 4), 'finer': (1, 4, 16), 'coarser': (16, 4, 1)}
    for name, blocks in shapes.items():
        files = []
        for layer, kib in zip(('root', 'middle', 'leaf'), reversed(blocks)):
            path = os.path.join(scratch, layer + '.vhd')
            spb = 2 * kib
            recipe = Recipe('differencing' if files else 'dynamic',
                            size=64 * KiB, block_size=kib * KiB,
                            dialect='vbox',
                            parent=files[-1] if files else None)
            for b in range(0, 64 // kib, 2 + len(files)):
                recipe.block(b, [(b % spb, spb - b % spb)],
                             fill=1 + len(files))
            made(recipe, path)
            files.append(path)
        yield name, [open(p, 'rb').read() for p in reversed(files)]
        if name == 'equal':
            root = fixed()
            root.size = 64 * KiB
            yield 'on-fixed', [open(files[2], 'rb').read(),
                               open(files[1], 'rb').read(),
                               made(root, files[0])]


def locators():
    paths = {0: ('W2ru', '.\\base.vhd'), 1: ('W2ku', 'C:\\vm\\base.vhd'),
             2: ('MacX', 'file://./b%20c.vhd')}
    for code, (name, text) in paths.items():
        yield name, bytes([code]) + encode_locator(name, text)
    yield 'unicode', b'\0' + '.\\磁盘\U0001f4be.vhd'.encode('utf-16-le')
    yield 'surrogate', b'\0' + b'.\0\\\0\x3d\xd8a\0'
    yield 'big-endian', b'\0' + '.\\base.vhd'.encode('utf-16-be')
    yield 'localhost', b'\2file://localhost/vm/%C3%BC.vhd'
    yield 'ansi', b'\3.\\base.vhd\0'
    yield 'bare', b'\7../../etc/passwd'


def table(*entries):
    """A boot record: (type, start, sectors) for each slot."""
    out = bytearray(512)
    for i, (kind, start, sectors) in enumerate(entries):
        struct.pack_into('<4xB3xII', out, 446 + 16 * i, kind, start, sectors)
    out[510:] = b'\x55\xaa'
    return bytes(out)


def gpt(at, array, *entries):
    """A header, its checksums left to the target, and a sector of entries."""
    head = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0,
                       at, 2048 - at, 34, 2014, bytes(16), array, 128, 128, 0)
    body = b''.join(b'\xa5' * 32 + struct.pack('<QQ', *e) + bytes(80)
                    for e in entries)
    return [(at, head.ljust(512, b'\0')), (array, body.ljust(512, b'\0'))]


def partitions():
    """Disks as fuzz_partition.c takes them: sectors with their places."""
    logical = [(0, table((0x83, 64, 64), (0x0f, 200, 1000))),
               (200, table((0x83, 10, 90), (5, 300, 100))),
               (500, table((0x83, 10, 90), (5, 600, 100))),
               (800, table((0x83, 10, 90)))]
    protective = (0, table((0xee, 1, 2047)))
    parts = (64, 127), (128, 2000)
    disks = {'primary': [(0, table((0x83, 64, 64), (7, 128, 1920)))],
             'logical': logical,
             'loop': logical[:3] + [(800, table((0x83, 1, 1), (5, 300, 9)))],
             'gpt': [protective] + gpt(1, 2, *parts) +
             gpt(2047, 2015, *parts)}
    for name, sectors in disks.items():
        yield name, b''.join(struct.pack('<H', at) + data
                             for at, data in sectors)


def main():
    out = sys.argv[1]

    def save(target, name, data):
        os.makedirs(os.path.join(out, target), exist_ok=True)
        with open(os.path.join(out, target, name), 'wb') as f:
            f.write(data)

    with tempfile.TemporaryDirectory() as scratch:
        for name, recipe in images():
            data = made(recipe, os.path.join(scratch, name + '.vhd'))
            save('footer', name, data[-512:])
            if data[:8] == b'conectix':
                save('dynhdr', name, data[512:1536])
            save('open', name, data)
            save('check', name, data)
            save('ops', name, joined(operations(24), data))
        for name, files in chains(scratch):
            save('chain', name, joined(*files))
    for name, data in locators():
        save('locator', name, data)
    for name, data in partitions():
        save('partition', name, data)


main()

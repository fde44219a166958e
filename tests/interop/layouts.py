# SPDX-License-Identifier: BSD-3-Clause
"""layouts.py - legal files that lie unusually on the disk, by name.

Each entry builds a file at a path; a differencing one stands on base.vhd in
the same directory, which it makes.  `writable` is false for those a writer
must not touch before a repair or at all.
"""
import os

from refvhd import KiB, MiB
from vhdmake import DIALECTS, Recipe

SIZE = 9 * MiB  # the last 2 MiB block is half used
LAYOUTS = {}
READ_ONLY = set()


def layout(name, writable=True):
    def register(function):
        LAYOUTS[name] = function
        if not writable:
            READ_ONLY.add(name)
        return function
    return register


def fill(recipe):
    """The same content whatever the layout: out of order, with a partial
    bitmap, a full block, the last sector and zeros that are present."""
    recipe.write(6 * MiB - 512, 3 * 512, 1)
    recipe.write(0, 2 * MiB, 2)
    recipe.write(recipe.size - 512, 512, 3)
    recipe.write(3 * MiB, 64 * KiB, 0)
    return recipe.write(2 * MiB + 8 * 512, 33 * 512, 4)


def dynamic(**fields):
    return fill(Recipe(size=fields.pop('size', SIZE), **fields))


def child(path, **fields):
    base = os.path.join(os.path.dirname(path), 'base.vhd')
    Recipe(size=SIZE).write(512, 5 * MiB, 9).write_file(base)
    return fill(Recipe('differencing', SIZE, parent=base, **fields))


def simple(name, make=None, writable=True, **fields):
    """A layout that only needs fields of a recipe."""
    make = make or dynamic

    def build(path):
        recipe = child(path, **fields) if make is child else make(**fields)
        return recipe.write_file(path)
    layout(name, writable)(build)


for d in DIALECTS:
    simple(f'dynamic-{d}', dialect=d)
    simple(f'child-{d}', child, dialect=d)
simple('fixed', lambda **f: fill(Recipe('fixed', SIZE)))
simple('fixed-511', lambda **f: fill(Recipe('fixed', SIZE, end='511')))
simple('fixed-old-data-offset', lambda **f: fill(
    Recipe('fixed', SIZE, footer={'data_offset': 0xffffffff})))
simple('fixed-conectix-inside', lambda **f: fill(
    Recipe('fixed', SIZE)).poke(0, b'conectix'))
simple('dynamic-511', end='511')
for size in (512, 4 * KiB, 64 * KiB, 512 * KiB, MiB, 8 * MiB, 32 * MiB):
    simple(f'block-{size}', block_size=size)
simple('child-block-512K', child, block_size=512 * KiB)
simple('child-block-4K', child, block_size=4 * KiB)
simple('child-block-16M', child, block_size=16 * MiB)
simple('packed', align=512)
simple('bat-after-blocks', layout='header@0x200 blocks bat footer')
simple('bat-between-blocks',
       layout='header@0x200 block:0@0xe00 bat blocks footer')
simple('bat-unaligned-page', layout='header@0x200 bat@0xa00 blocks footer')
simple('header-elsewhere', layout='bat@0x200 header@0x1000 blocks footer')
simple('header-after-blocks', layout='blocks header bat footer')
simple('everything-reversed',
       layout='block:4 block:1 block:3 block:0 block:2 bat header footer')
simple('gaps', layout='header@0x10000 gap:70000 bat~512 gap:0x300000 '
                      'block:4 gap:0x12345 blocks gap:0x400000 footer')
simple('gap-before-footer', layout='header@0x200 bat@0x600 blocks '
                                   'gap:326656 footer')
simple('bat-padding-00', bat_padding=b'\0')
simple('bat-one-too-many', extra_entries=1)
simple('bat-with-room', extra_entries=1000)
simple('child-locators-first', child, layout='header@0x200 locators bat~512 '
                                             'blocks footer')
simple('child-locators-last', child, layout='header@0x200 bat@0x600 blocks '
                                            'locators footer')
simple('child-locators-in-sectors', child, space='sectors')
simple('child-bat-last', child, layout='header@0x200 blocks locators bat '
                                       'footer')
simple('child-only-name', child, locators=[])
simple('child-only-MacX', child, locators=[('MacX', 'file://./base.vhd')])
simple('child-full-path-name', child,
       parent_name='C:\\vm\\disks\\base.vhd')
simple('child-wrong-case', child, parent_name='BASE.VHD',
       locators=[('W2ru', '.\\BASE.VHD')])
simple('child-foreign-name', child, parent_name='other.vhd',
       locators=[('W2ku', 'D:\\x\\other.vhd'), ('W2ru', '.\\other.vhd')])
simple('no-copy', writable=False, copy='none')
simple('copy-differs', writable=False, copy={'creator_version': 1})
simple('no-end', writable=False, end='none')
simple('tap-0.1', dialect='tap', writable=False,
       layout='header@0x200 bat@0x600 blocks footer',
       footer={'creator_version': 1})
simple('tap-1.1-hidden', lambda **f: dynamic(**f).poke(85, b'\1'),
       dialect='tap', layout='header@0x200 bat@0x600 blocks footer',
       footer={'creator_version': 0x10001})


@layout('garbage-under-clear-bits')
def _(path):
    r = Recipe(size=SIZE)
    r.block(1, [(3, 1), (8, 16), (4095, 1)], 1, garbage=7)
    return r.block(0, [], garbage=8).write_file(path)


@layout('child-garbage-under-clear-bits')
def _(path):
    r = child(path)
    r.block(3, [(3, 1), (8, 16), (1000, 1)], 1, garbage=7)
    return r.write_file(path)


@layout('bits-past-the-end')
def _(path):
    return Recipe(size=SIZE).block(4, fill=3).write_file(path)


@layout('short-last-block')
def _(path):
    r = Recipe(size=SIZE, layout='header@0x200 bat@0x600 block:0@0x1e00 '
               'block:4@0x202e00 footer@0x303000')
    r.block(0, fill=1).block(4, [(0, 2048)], fill=2)
    return r.truncate(0x303200).write_file(path)


@layout('every-other-sector')
def _(path):
    r = child(path)
    return r.block(3, [(s, 1) for s in range(0, 4096, 2)], 6).write_file(path)


@layout('all-blocks-backwards')
def _(path):
    r = Recipe(size=SIZE)
    for index in (4, 3, 2, 1, 0):
        r.block(index, [(0, 512)], index + 1)
    return r.write_file(path)


@layout('child-larger-than-parent')
def _(path):
    base = os.path.join(os.path.dirname(path), 'base.vhd')
    Recipe(size=5 * MiB).write(0, 5 * MiB, 9).write_file(base)
    return fill(Recipe('differencing', SIZE, parent=base)).write_file(path)


@layout('child-smaller-than-parent')
def _(path):
    base = os.path.join(os.path.dirname(path), 'base.vhd')
    Recipe(size=12 * MiB).write(0, 12 * MiB, 9).write_file(base)
    return fill(Recipe('differencing', SIZE, parent=base)).write_file(path)


@layout('child-of-fixed')
def _(path):
    base = os.path.join(os.path.dirname(path), 'base.vhd')
    Recipe('fixed', SIZE).write(0, SIZE, 9).write_file(base)
    return fill(Recipe('differencing', SIZE, parent=base)).write_file(path)

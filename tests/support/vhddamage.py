# SPDX-License-Identifier: BSD-3-Clause
"""vhddamage.py - one minimal image for each finding of docs/format.md 20.

CASES maps a name (a code, or code.variant) to a Case; damage(path, name)
builds it.  A case that needs a parent makes base.vhd beside it.  `also` are
findings that cannot be avoided with it; notes may always come along.
"""
import collections
import os

from refvhd import (DYNAMIC, GiB, KiB, MiB, ONES, SECTOR, Error, Footer,
                    geometry)
from vhdcheck import ERROR, FATAL, NOTE, WARNING
from vhdmake import Recipe

Case = collections.namedtuple('Case', 'code severity build also chain')
CASES = {}
SIZE = 10 * MiB
FUTURE = 0xf0000000
BITMAP_AT = 0x1e00  # the first block of dynamic()


def case(name, severity, build, also=(), chain=False):
    CASES[name] = Case(name.split('.')[0], severity, build, set(also), chain)


def dynamic(size=SIZE, **fields):
    """No finding at all, as it is."""
    return Recipe(size=size, **fields).block(0, fill=1).block(
        2, [(0, 8), (100, 3)], fill=2)


def empty(size=SIZE, **fields):
    return Recipe(size=size, **fields)


def fixed(**fields):
    return Recipe('fixed', size=MiB, **fields).write(0, 64 * KiB, 1)


def child(path, size=SIZE, **fields):
    """The same, of base.vhd in the same directory."""
    base = os.path.join(os.path.dirname(path), 'base.vhd')
    if not os.path.exists(base):
        dynamic().write_file(base)
    return Recipe('differencing', size=size, parent=base, **fields).block(
        1, [(3, 5)], fill=3)


def of(make, **fields):
    """A builder for a case that only sets fields of a recipe."""
    if make is child:
        return lambda path: child(path, **fields)
    return lambda path: make(**fields)


def footer(name, severity, also=(), **fields):
    """A case with these footer fields in both copies."""
    case(name, severity, of(dynamic, footer=fields), also)


def header(name, severity, also=(), make=dynamic, **fields):
    case(name, severity, of(make, header=fields), also)


def locator(name, severity, index, also=(), **fields):
    case(name, severity, of(child, locator_edits={index: fields}), also)


# -- 20.1 --

case('V01', FATAL, lambda p: empty().truncate(100))
case('V02', FATAL, lambda p: empty().poke(0, b'vhdxfile'))
case('V03', FATAL, lambda p: empty().poke(0, b'x').poke(0x1e00, b'x'))
case('V04', WARNING, of(dynamic, end='none'))
case('V04.cut', ERROR, lambda p: dynamic().truncate(0x403000))
case('V04.zero', WARNING, of(dynamic, end={'cookie': bytes(8)}))
case('V04.sum', ERROR, of(dynamic, end={'checksum': 1}), ['V07'])
case('V05', ERROR, of(dynamic, copy='none'))
case('V05.sum', ERROR, of(dynamic, copy={'checksum': 1}), ['V07'])
case('V06', ERROR, of(dynamic, copy={'creator': b'qemu'}))
footer('V07', FATAL, checksum=1)
case('V08', WARNING, lambda p: fixed().append(bytes(4 * KiB)))
case('V09', WARNING, lambda p: dynamic().append(bytes(100)), ['V08'])
case('V10', NOTE, of(fixed, end='511'))
case('V10.sparse', NOTE, of(dynamic, end='511'))
footer('V11', FATAL, version=0x00020000)
footer('V11.minor', WARNING, version=0x00010001)
footer('V12', WARNING, features=0)
footer('V13', WARNING, features=0x102)
footer('V14', NOTE, features=3)
footer('V15', FATAL, type=5)
case('V16', WARNING, of(fixed, footer={'data_offset': 0}))
case('V16.short', WARNING, of(fixed, footer={'data_offset': 0xffffffff}))
case('V17', WARNING, of(dynamic, layout='header@0x204 bat@0x800 blocks '
                                        'footer'))
footer('V17.ones', FATAL, data_offset=ONES)
footer('V17.inside', FATAL, data_offset=256)
case('V18', NOTE, of(dynamic, layout='header@0x400 bat@0x800 blocks footer'))
footer('V19', FATAL, size=0, original_size=0, cylinders=0, heads=0, spt=0)
footer('V19.odd', ERROR, ['V23'], size=SIZE - 100)
case('V20', ERROR, of(empty, size=2041 * GiB))
case('V21', ERROR, of(fixed, footer=dict(zip(
    ('size', 'original_size', 'cylinders', 'heads', 'spt'),
    (2 * MiB, 2 * MiB, *geometry(2 * MiB))))))
case('V22', WARNING, of(fixed, footer=dict(zip(
    ('size', 'original_size', 'cylinders', 'heads', 'spt'),
    (MiB - 64 * KiB, MiB - 64 * KiB, *geometry(MiB - 64 * KiB))))))
footer('V23', WARNING, original_size=0)
footer('V23.above', WARNING, original_size=SIZE + MiB)
footer('V23.odd', WARNING, original_size=SIZE - 100)
footer('V24', WARNING, cylinders=65535)
footer('V25', NOTE, cylinders=300)
footer('V26', WARNING, creator=b'qemu', creator_version=0x00050003)
footer('V27', WARNING, uuid=bytes(16))
footer('V28', WARNING, saved_state=2)
footer('V28.saved', NOTE, saved_state=1)
footer('V29', WARNING, reserved=bytes(400) + b'x' + bytes(26))
footer('V30', NOTE, timestamp=FUTURE)
case('V31', ERROR, lambda p: dynamic().append(b'\xc7' * SECTOR))
case('V31.poison', ERROR, of(dynamic, end={'cookie': b'v_poison'}))
footer('V32', NOTE, ['V26'], creator=b'ABCD')

# -- 20.2 --

header('V40', FATAL, cookie=b'cxsparsf')
header('V41', FATAL, checksum=1)
header('V42', FATAL, version=0x00020000)
header('V43', WARNING, data_offset=0xffffffff)
case('V44', ERROR, of(dynamic, layout='header@0x200 bat@0x604 blocks footer'))
header('V45', FATAL, table_offset=1 << 40)


def table_in_header(path):
    """V46: the table is where the name's unused tail is."""
    bat = b'\xff' * 4 + (0x13e00 // SECTOR).to_bytes(4, 'big') + b'\xff' * 12
    name = 'base.vhd'.encode('utf-16-be').ljust(448, b'\0') + bat
    return child(path, bat_padding=b'',
                 layout='header@0x200 loc0@0x1000 bat@0x400 loc1@0x3000 '
                        'block:1@0x13e00 footer',
                 header={'parent_name': name.ljust(512, b'\0')})


case('V46', ERROR, table_in_header)
header('V47', FATAL, block_size=3 * MiB)
header('V47.zero', FATAL, block_size=0)
case('V48', WARNING, of(empty, block_size=4 * MiB))
header('V49', FATAL, max_entries=4)
case('V50', NOTE, of(dynamic, extra_entries=3))
header('V51', FATAL, max_entries=0)
header('V52', WARNING, reserved2=bytes(255) + b'x')
header('V53', WARNING, parent_uuid=b'p' * 16)
header('V54', WARNING, make=child, parent_uuid=bytes(16))
case('V55', ERROR, of(child, locators=[], header={
    'parent_name': bytes(512)}))
case('V56', WARNING, of(child, locators=[('W2ku', 'C:\\vm\\base.vhd')]))
header('V57', WARNING, make=child, parent_name='base\ud800.vhd'.encode(
    'utf-16-be', 'surrogatepass').ljust(512, b'\0'))
case('V58', WARNING, of(child, locators=[
    ('W2ru', '.\\base.vhd'), ('Wi3k', '.\\base.vhd')]))
locator('V59', WARNING, 5, offset=0x1000)
locator('V60', WARNING, 1, reserved=7)
locator('V61', ERROR, 1, offset=1 << 40)
locator('V61.header', ERROR, 1, offset=0x400, also=['V63'])
locator('V62', WARNING, 1, offset=0x2ffe, length=22)
locator('V63', WARNING, 1, length=0)
locator('V63.room', WARNING, 1, space=8 * KiB, length=9 * KiB)
locator('V63.odd', WARNING, 1, length=21)
locator('V63.nul', WARNING, 1, length=24)
locator('V64', WARNING, 1, space=700)
case('V65', NOTE, of(child, locators=[
    ('W2ru', '.\\base.vhd'), ('W2ku', 'C:\\vm\\other.vhd')]))
header('V66', NOTE, make=child, parent_time=FUTURE)

# -- 20.3 --

def inside(entry):
    """A block that begins among the structures."""
    return lambda p: empty(layout='header@0x200 bat@0x600 footer@0x400e00'
                           ).bat_entry(1, entry)


case('V70', ERROR, inside(1), ['V82'])
case('V70.zero', ERROR, inside(0), ['V82'])
case('V70.bat', ERROR, inside(3))
case('V71', ERROR, lambda p: dynamic().bat_entry(1, 0x10000))
case('V71.short', WARNING, lambda p: Recipe(
    size=9 * MiB, layout='header@0x200 bat@0x600 block:0@0x1e00 '
    'block:4@0x202e00 footer@0x303000').block(0, fill=1).block(
        4, [(0, 2048)], fill=2).truncate(0x303200))
case('V72', ERROR, lambda p: empty(
    layout='header@0x200 bat@0x600 block:0@0x1e00 footer@0x201e00'
    ).block(0, [(0, 8)], fill=1), ['V82'])
case('V73', ERROR, lambda p: dynamic().bat_entry(1, BITMAP_AT // SECTOR))
case('V74', ERROR, lambda p: empty(
    layout='header@0x200 bat@0x600 block:0@0x1e00 block:1@0x2e00 footer'
    ).block(0, fill=1).block(1, fill=2))
case('V75', NOTE, of(dynamic, align=SECTOR,
                     layout='header@0x200 bat@0x600 blocks footer'))
case('V76', WARNING, lambda p: dynamic(extra_entries=2).bat_entry(
    6, 0x8000))
case('V77', NOTE, of(dynamic, bat_padding=b'\0'))
case('V78', NOTE, of(dynamic, layout='header@0x200 block:0@0xe00 '
                     'block:2@0x201e00 bat footer'))
case('V79', NOTE, of(dynamic, layout='header@0x200 bat@0x600 blocks '
                     'gap:0x300000 footer'))
case('V80', NOTE, lambda p: dynamic().poke(0x1200, Footer(
    type=DYNAMIC, data_offset=512, size=SIZE).pack()))
case('V81', NOTE, lambda p: empty().block(2, fill=2).block(0, fill=1))
case('V82', WARNING, lambda p: empty().block(1, [(8, 8)], 1, garbage=9))
case('V83', NOTE, lambda p: empty().block(1, []))
case('V83.data', WARNING, lambda p: empty().block(1, [], garbage=9))
case('V84', NOTE, lambda p: empty(size=9 * MiB).block(4, fill=1))
case('V85', NOTE, lambda p: empty().block(1))
case('V86', NOTE, lambda p: child(p).block(3, [(8, 8)], 1, garbage=9))


def tap(**fields):
    return dynamic(dialect='tap', bat_padding=b'\xff', **fields)


case('V88', WARNING, lambda p: tap().poke(0x800 + 27, b'\x55'))
case('V89', ERROR, of(tap, batmap_bits=[2]))
case('V90', ERROR, of(tap, footer={'creator_version': 1},
                      layout='header@0x200 bat@0x600 blocks footer'))

# -- 20.4, with --chain --

UNKNOWN = b'\xab' * 16


def chain(name, severity, build, also=()):
    case(name, severity, build, also, chain=True)


def bad_parent(path):
    recipe = child(path)
    dynamic(copy='none').write_file(
        os.path.join(os.path.dirname(path), 'base.vhd'))
    return recipe


def itself(path):
    return Recipe('differencing', size=SIZE, uuid=b'\x11' * 16,
                  parent_uuid=b'\x11' * 16,
                  parent_name=os.path.basename(path))


chain('V100', ERROR, lambda p: Recipe(
    'differencing', size=SIZE, parent_uuid=UNKNOWN,
    parent_name='nowhere.vhd'))
header_of_child = of(child, header={'parent_uuid': UNKNOWN})
chain('V101', ERROR, header_of_child)
chain('V102', WARNING, of(child, header={'parent_time': 1000}))
chain('V103', FATAL, itself)
chain('V106', WARNING, lambda p: child(p, size=12 * MiB))
chain('V108', ERROR, bad_parent, ['V05'])


def damage(path, name):
    if name not in CASES:
        raise Error(f'no such case: {name}; there are ' + ' '.join(CASES))
    return CASES[name].build(path).write_file(path)

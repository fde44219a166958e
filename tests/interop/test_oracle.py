# SPDX-License-Identifier: BSD-3-Clause
"""The oracle itself: refvhd.py against the format's worked examples, the
sample images, qemu-img and 7-Zip.  Needs no vhdtool."""
import os
import random
import re
import subprocess
import sys

import samples
import vhdcheck
import vhddamage
from interop import IMAGES, Skipped, claim, equal, main, run, true
from refvhd import (KiB, MiB, SECTOR, Chain, Error, Footer, Header, Image,
                    geometry, info, sha256_file)
from vhdmake import Recipe, TextRecipe, make_diff, make_from_raw

WIN_UUID = bytes.fromhex('33221100554477668899aabbccddeeff')


def need_samples():
    if not os.path.isfile(os.path.join(IMAGES, 'README.md')):
        raise Skipped(f'no sample images at {IMAGES!r} (VHD_IMAGES)')


@claim('geometry follows the table of format 6.3')
def _():
    for size, want in ((MiB, (30, 4, 17)), (40 * MiB, (963, 5, 17)),
                       (136 * MiB, (561, 16, 31)), (504 * MiB, (1024, 16, 63)),
                       (33285996544, (64495, 16, 63)),
                       (136365211648, (65278, 16, 255)),
                       (1 << 40, (65535, 16, 255))):
        equal(geometry(size), want, f'geometry of {size}')


@claim('example A of format 22: a fixed disk of 64 MiB')
def _():
    Recipe('fixed', 64 * MiB, uuid=WIN_UUID).write_file('a.vhd')
    equal(os.path.getsize('a.vhd'), 67109376, 'file length')
    equal(Image('a.vhd').footer.checksum, 0xffffe7e3, 'checksum')


@claim('example B of format 22: a dynamic disk of 10 MiB')
def _():
    r = Recipe(size=10 * MiB, uuid=WIN_UUID)
    r.block(0, [(0, 2), (4095, 1)], 1).block(3, [(0, 8)], 2)
    image = Image(r.write_file('b.vhd'))
    equal(image.footer.checksum, 0xffffef3c, 'footer checksum')
    equal(image.header.checksum, 0xfffff472, 'header checksum')
    equal(image.bat.tolist(), [15, 0xffffffff, 0xffffffff, 4119, 0xffffffff],
          'table')
    equal((image.footer_at, image.length), (0x403e00, 0x404000), 'footer at')
    equal(image.bitmap(0), b'\xc0' + bytes(510) + b'\1', 'bitmap of block 0')


@claim('example C of format 22: a differencing child of B')
def _():
    Recipe(size=10 * MiB, uuid=WIN_UUID).write_file('base.vhd')
    uuid = bytes.fromhex('00eeffc0111122428333444455556666')
    r = Recipe('differencing', 10 * MiB, parent='base.vhd', uuid=uuid,
               created=0x2d24cb10, header={'parent_time': 0x2d24bd3c})
    image = Image(r.block(1, [(3, 1)], 5).write_file('c.vhd'))
    equal(image.footer.checksum, 0xfffff12e, 'footer checksum')
    equal(image.bat[1], 159, 'entry 1')
    equal((image.footer_at, image.length), (0x214e00, 0x215000), 'footer at')
    equal(image.locators(), [('W2ku', 'C:\\vm\\base.vhd'),
                             ('W2ru', '.\\base.vhd')], 'locators')
    equal([e.offset for e in image.header.locator_entries()[:2]],
          [0x1000, 0x3000], 'places of the locators')


@claim('every sample image has the content its README says')
def _():
    need_samples()
    samples.unpack_all()
    count = 0
    for name, kind, size, content in samples.rows():
        path = re.sub(r'\.(bz2|gz)$', '', name)
        chain = Chain(path)
        equal((info(path)['type'], chain.size), (kind, size), name)
        if content:
            equal(chain.sha256(), content, f'content of {name}')
        else:
            true(chain.is_zero(), f'{name} is all zero')
        count += 1
    true(count >= 11, f'only {count} samples in the README')


@claim('bare footers, a bad checksum and a VHDX are refused')
def _():
    need_samples()
    samples.unpack_all()
    for name in os.listdir('.'):
        if name.endswith(('.footer', '.vhdx')):
            try:
                Chain(name)
            except Error:
                continue
            raise Error(f'{name} was opened')


@claim('qemu-img reads what is written, fixed and dynamic', 'qemu-img')
def _():
    for kind in ('fixed', 'dynamic'):
        for dialect in ('win', 'qem2', 'tap'):
            r = Recipe(kind, 9 * MiB, dialect)
            for seed, at in enumerate((0, 3 * MiB, 5 * MiB + 512)):
                r.write(at, 70 * KiB, seed + 1)
            r.write_file('x.vhd')
            Chain('x.vhd').to_raw('x.raw')
            run('qemu-img', 'compare', '-f', 'vpc', '-F', 'raw', 'x.vhd',
                'x.raw')


@claim('what qemu-img writes is read', 'qemu-img')
def _():
    with open('x.raw', 'wb') as f:
        f.write(random.Random(5).randbytes(3 * MiB) + bytes(6 * MiB))
    for kind in ('fixed', 'dynamic'):
        run('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o',
            f'subformat={kind},force_size=on', 'x.raw', 'x.vhd')
        equal(Chain('x.vhd').sha256(), sha256_file('x.raw'), kind)


def random_chain(rnd, depth):
    """A chain of random layers; the path of its leaf."""
    size = rnd.choice([5, 8, 9]) * MiB + rnd.choice([0, 512, 4096])
    parent = None
    for k in range(depth):
        kind = 'differencing' if parent else rnd.choice(['dynamic', 'fixed'])
        r = Recipe(kind, size, rnd.choice(['win', 'tap', 'vbox', 'vpc']),
                   parent=parent,
                   block_size=rnd.choice([512 * KiB, 2 * MiB, 4 * KiB]))
        for j in range(rnd.randrange(1, 12)):
            at = rnd.randrange(size // SECTOR)
            n = rnd.randrange(1, min(300, size // SECTOR - at + 1))
            r.write(at * SECTOR, n * SECTOR, rnd.choice([0, k * 100 + j + 1]))
        parent = r.write_file(f'layer{k}.vhd')
    return parent


@claim('7-Zip reads random chains alike', '7zz')
def _():
    for seed in range(12):
        os.mkdir(str(seed))
        os.chdir(str(seed))
        leaf = random_chain(random.Random(seed), 1 + seed % 4)
        run('7zz', 'x', '-oout', '-y', leaf)
        equal(Chain(leaf).sha256(), sha256_file('out/' + os.listdir('out')[0]),
              f'seed {seed}')
        os.chdir('..')


@claim('a child made from a difference reads as the raw file')
def _():
    rnd = random.Random(7)
    Recipe(size=6 * MiB).write(0, MiB, 1).write_file('base.vhd')
    data = bytearray(Chain('base.vhd').read())
    for _ in range(30):
        at = rnd.randrange(len(data))
        data[at:at + 1] = rnd.randbytes(1)
    with open('new.raw', 'wb') as f:
        f.write(data)
    make_diff('base.vhd', 'new.raw', 'child.vhd')
    equal(Chain('child.vhd').read(), bytes(data), 'content')
    make_from_raw('new.raw', 'whole.vhd')
    equal(Chain('whole.vhd').read(), bytes(data), 'content of the whole')


@claim('each damage gives its finding, and no other warning or error')
def _():
    for name, case in vhddamage.CASES.items():
        os.mkdir(name)
        vhddamage.damage(f'{name}/x.vhd', name)
        got = {f[:2] for f in vhdcheck.check(f'{name}/x.vhd')}
        want = set() if case.chain else {(case.code, case.severity)}
        more = {f for f in got - want
                if f[1] != 'note' and f[0] not in case.also}
        equal((want - got, more), (set(), set()),
              f'{name}: (missing, unexpected); all: {sorted(got)}')


@claim('a text recipe makes the same file as calls')
def _():
    text = '''
        size 9M         # a comment
        dialect vbox
        uuid 33221100-5544-7766-8899-aabbccddeeff
        block 3 bits 0-1,4095 = pattern 7 garbage 2
        write 1M 64K = pattern 3
        footer features 3 creator abc
        layout header@0x200 blocks gap:0x200 bat footer
        copy none
        append 512'''
    TextRecipe(text).recipe.write_file('a.vhd')
    r = Recipe(size=9 * MiB, dialect='vbox', uuid=WIN_UUID, copy='none',
               footer={'features': 3, 'creator': b'abc '},
               layout='header@0x200 blocks gap:0x200 bat footer')
    r.block(3, [(0, 2), (4095, 1)], 7, 2).write(MiB, 64 * KiB, 3)
    r.append(bytes(512)).write_file('b.vhd')
    equal(sha256_file('a.vhd'), sha256_file('b.vhd'), 'the file')


@claim('the command line answers')
def _():
    tool = os.path.join(os.path.dirname(vhdcheck.__file__), 'refvhd.py')

    def refvhd(*args):
        done = subprocess.run([sys.executable, '-B', tool, *args],
                              capture_output=True)
        equal(done.returncode, 0, f'{args}: {done.stderr}')
        return done.stdout
    with open('x.recipe', 'w') as f:
        f.write('size 8M\nblock 1 = pattern 4\n')
    refvhd('make', 'x.recipe')
    digest = Chain('x.vhd').sha256()
    equal(refvhd('hash', 'x.vhd'), f'{digest} x.vhd\n'.encode(), 'hash')
    equal(refvhd('cat', 'x.vhd'), Chain('x.vhd').read(), 'cat')
    refvhd('raw', 'x.vhd', 'x.raw')
    equal(sha256_file('x.raw'), digest, 'raw')
    equal(refvhd('check', 'x.vhd'), b'', 'check')
    refvhd('damage', 'V73', 'y.vhd')
    true(refvhd('check', 'y.vhd').startswith(b'V73 error'), 'damage V73')
    true(b'"virtual-size": 8388608' in refvhd('info', 'x.vhd'), 'info')
    refvhd('diff', 'x.vhd', 'x.raw', 'z.vhd')
    equal(refvhd('hash', '-p', 'x.vhd', 'z.vhd').split()[0].decode(), digest,
          'diff')


equal((Footer.SIZE, Header.SIZE), (512, 1024), 'sizes of the structures')
main()

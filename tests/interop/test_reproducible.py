# SPDX-License-Identifier: BSD-3-Clause
"""What we create is the same every time, and as every reader wants it."""
import os

import vhdcheck
from interop import (claim, equal, have, main, need_vhdtool, run, true,
                     vhdtool, vhdtool_json)
from refvhd import KiB, MiB, Chain, Image, info, sha256_file
from vhdmake import CREATED, make_from_raw

UUID = '01234567-89ab-4cde-8f01-23456789abcd'
WHEN = '2024-01-01T00:00:00Z'
NAMES = ('base.vhd', 'with space.vhd', '100%#?&.vhd', 'grün-çà.vhd',
         'данные диска.vhd', '仮想ディスク.vhd', 'القرص.vhd', 'דיסק.vhd',
         'disk💾🐧.vhd', 'e\u0301.vhd')
KINDS = ((), ('--type', 'fixed'), ('--block-size', '512K'))


@claim('create with --uuid and --created gives the same bytes every time')
def _():
    for n, options in enumerate(KINDS):
        hashes = set()
        for folder in (f'a{n}', f'b{n}'):
            os.mkdir(folder)
            path = f'{folder}/x.vhd'
            vhdtool('create', '--uuid', UUID, '--created', WHEN, *options,
                    path, '10M')
            hashes.add(sha256_file(path))
        equal(len(hashes), 1, f'{options}: different files')
        said = info(f'a{n}/x.vhd')
        equal((said['uuid'], said['timestamp']), (UUID, CREATED), 'stored')


@claim('a child is the same wherever and whenever it is made')
def _():
    hashes = set()
    for folder, when in (('a', 1e9), ('b', 1.5e9)):
        os.mkdir(folder)
        vhdtool('create', '--uuid', UUID, '--created', WHEN,
                f'{folder}/base.vhd', '10M')
        os.utime(f'{folder}/base.vhd', (when, when))
        vhdtool('create', '--uuid', UUID.replace('0', 'f'), '--created',
                WHEN, '--parent', f'{folder}/base.vhd', f'{folder}/child.vhd')
        hashes.add(sha256_file(f'{folder}/child.vhd'))
    equal(len(hashes), 1, 'different files')
    equal(info('a/child.vhd')['parent-time'], 0, 'parent time')


@claim('the strict check finds nothing at all in what we create')
def _():
    vhdtool('create', 'base.vhd', '10M')
    for n, options in enumerate(KINDS):
        vhdtool('create', *options, f'{n}.vhd', '10M')
        equal(vhdcheck.check(f'{n}.vhd'), [], f'{options}')
    vhdtool('create', '--parent', 'base.vhd', 'child.vhd')
    serious = [f for f in vhdcheck.check('child.vhd') if f[1] != 'note']
    equal(serious, [], 'child')


@claim('qemu-img, vhdiinfo and 7-Zip take what we create')
def _():
    for n, options in enumerate(KINDS):
        path = f'{n}.vhd'
        vhdtool('create', *options, path, '10M')
        for program, *args in (('qemu-img', 'info', '-f', 'vpc'),
                               ('vhdiinfo',), ('7zz', 'l')):
            if have(program):
                run(program, *args, path)


@claim('sizes from one sector to 2040 GiB are created and read')
def _():
    for size in (512, 1024, 69632 * 512, 3 * MiB, 127 << 30, 2040 << 30):
        vhdtool('create', '--force', 'x.vhd', size)
        image = Image('x.vhd')
        equal(image.size, size, 'size')
        equal(image.header.max_entries, -(-size // (2 * MiB)), 'entries')
        serious = [f for f in vhdcheck.check('x.vhd') if f[1] != 'note']
        equal(serious, [], f'check of {size}')
    vhdtool('create', 'y.vhd', '2041G', expect=1)
    true(not os.path.exists('y.vhd'), 'nothing is left of a refused one')


@claim('block data lies on 4 KiB borders, and the footer copies are equal')
def _():
    with open('x.raw', 'wb') as f:
        f.write(os.urandom(5 * MiB))
    for size in ('2M', '512K'):
        vhdtool('create', '--force', '--block-size', size, 'empty.vhd', '5M')
        vhdtool('create', '--force', '--parent', 'empty.vhd', 'child.vhd')
    vhdtool('convert', '-f', 'raw', '-O', 'dynamic', 'x.raw', 'x.vhd')
    image = Image('x.vhd')
    for block, entry in enumerate(image.bat):
        equal(image.data_offset(block) % (4 * KiB), 0, f'block {block}')
    equal(image.length % (4 * KiB), 0, 'file length')
    equal(image.copy.bytes, image.footer.bytes, 'the copy')
    equal(vhdtool_json('inspect', '--json', 'x.vhd')['alignment'], 4096,
          'alignment')


@claim('a converted file does not depend on how the source is stored')
def _():
    with open('x.raw', 'wb') as f:
        f.truncate(9 * MiB)
        f.seek(3 * MiB)
        f.write(b'x' * 100000)
    vhdtool('convert', '-f', 'raw', '-O', 'dynamic', 'x.raw', 'a.vhd')
    make_from_raw('x.raw', 'odd.vhd', dialect='vbox', block_size=MiB)
    vhdtool('convert', '-O', 'dynamic', 'odd.vhd', 'b.vhd')
    a, b = Image('a.vhd'), Image('b.vhd')
    equal(a.bat.tolist(), b.bat.tolist(), 'tables')
    equal(Chain('a.vhd').sha256(), Chain('b.vhd').sha256(), 'content')


@claim('a child has MacX, W2ku and W2ru, in names of every script')
def _():
    for n, name in enumerate(NAMES):
        os.mkdir(str(n))
        base, child = f'{n}/{name}', f'{n}/child.vhd'
        vhdtool('create', base, '4M')
        vhdtool('create', '--parent', base, child)
        image = Image(child)
        stored = dict(image.locators())
        equal(sorted(stored), ['MacX', 'W2ku', 'W2ru'], f'{name}: locators')
        equal(stored['W2ru'], '.\\' + name, f'{name}: W2ru')
        equal(stored['MacX'], 'file://./' + name, f'{name}: MacX')
        equal(image.header.name, name, f'{name}: name')
        Chain(child)
        ours = vhdtool_json('inspect', '--json', child)
        equal(ours['parent-status'], 'ok', f'{name}: found by us')
        if have('7zz'):
            run('7zz', 't', child)


@claim('a child beside, above and below its parent finds it')
def _():
    os.makedirs('vm/snap')
    vhdtool('create', 'vm/base.vhd', '4M')
    vhdtool('create', '--parent', 'vm/base.vhd', 'above.vhd')
    equal(dict(Image('above.vhd').locators())['W2ru'], '.\\vm\\base.vhd',
          'W2ru downwards')
    vhdtool('convert', '-O', 'raw', 'above.vhd', 'x.raw')
    vhdtool('create', '--parent', 'vm/base.vhd', 'vm/snap/below.vhd',
            expect=None)
    if os.path.exists('vm/snap/below.vhd'):
        equal(dict(Image('vm/snap/below.vhd').locators())['W2ru'],
              '..\\base.vhd', 'W2ru upwards')


need_vhdtool()
main()

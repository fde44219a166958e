# SPDX-License-Identifier: BSD-3-Clause
"""QEMU reads what we write, and we read what QEMU writes."""
import json
import os
import random

from interop import (claim, equal, have, main, need_vhdtool, run, skip,
                     to_raw, true, vhdtool, vhdtool_json)
from refvhd import KiB, MiB, Chain, sha256_file

KINDS = ('fixed', 'dynamic')


def random_raw(path, seed=1, size=11 * MiB):
    """Data, zeros, and odd pieces across the block border."""
    rnd = random.Random(seed)
    with open(path, 'wb') as f:
        f.truncate(size)
        for _ in range(12):
            f.seek(rnd.randrange(size // 512 - 600) * 512)
            f.write(rnd.randbytes(rnd.randrange(1, 300) * 512))
        f.seek(4 * MiB - 512)
        f.write(rnd.randbytes(1024))
    return path


def qemu_io(path, *commands):
    args = [part for c in commands for part in ('-c', c)]
    done = run('qemu-io', '-f', 'vpc', *args, path)
    true(b'rror' not in done.stdout + done.stderr, f'qemu-io: {done.stdout}')


def qemu_equal(vhd, raw):
    run('qemu-img', 'compare', '-f', 'vpc', '-F', 'raw', vhd, raw)


def sound(path):
    result = vhdtool_json('check', '--json', path)
    equal((result['errors'], result['warnings']), (0, 0),
          f'check {path}: {result["findings"]}')


@claim('images that qemu-img creates and qemu-io writes are read')
def _():
    for kind in KINDS:
        for size in ('force_size=on', 'force_size=off'):
            run('qemu-img', 'create', '-f', 'vpc', '-o',
                f'subformat={kind},{size}', 'q.vhd', '11M')
            qemu_io('q.vhd', 'write -P 0x5a 0 64k', 'write -P 0xa5 4190208 8k',
                    'write -P 1 9M 512')
            run('qemu-img', 'convert', '-f', 'vpc', '-O', 'raw', 'q.vhd',
                'q.raw')
            equal(sha256_file(to_raw('q.vhd')), sha256_file('q.raw'),
                  f'{kind} {size}')


@claim('images that qemu-img converts are read')
def _():
    random_raw('a.raw')
    for kind in KINDS:
        run('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o',
            f'subformat={kind},force_size=on', 'a.raw', 'q.vhd')
        equal(sha256_file(to_raw('q.vhd')), sha256_file('a.raw'), kind)
        sound('q.vhd')


@claim('what we convert, qemu-img reads alike')
def _():
    for seed in range(3):
        random_raw('a.raw', seed)
        for kind in KINDS:
            vhdtool('convert', '-f', 'raw', '-O', kind, '--force', 'a.raw',
                    'o.vhd')
            qemu_equal('o.vhd', 'a.raw')
            equal(Chain('o.vhd').sha256(), sha256_file('a.raw'), 'oracle')


@claim('a size that is no CHS product is seen by qemu-img')
def _():
    for kind in KINDS:
        vhdtool('create', '--type', kind, '--force', 'o.vhd', '10485760')
        done = run('qemu-img', 'info', '--output=json', '-f', 'vpc', 'o.vhd')
        equal(json.loads(done.stdout)['virtual-size'], 10485760, kind)


@claim('images that we create and qemu-io writes are read')
def _():
    for options in (['--type', 'fixed'], ['--type', 'dynamic'],
                    ['--block-size', '512K']):
        vhdtool('create', '--force', *options, 'o.vhd', '11M')
        qemu_io('o.vhd', 'write -P 0x5a 0 64k', 'write -P 0xa5 4190208 8k',
                'write -P 1 9M 512', 'write -z 10M 4k')
        run('qemu-img', 'convert', '-f', 'vpc', '-O', 'raw', 'o.vhd', 'q.raw')
        equal(sha256_file(to_raw('o.vhd')), sha256_file('q.raw'),
              f'{options}')
        equal(Chain('o.vhd').sha256(), sha256_file('q.raw'), 'oracle')
        sound('o.vhd')


@claim('our writes into an image of QEMU are read by QEMU')
def _():
    random_raw('a.raw', 3)
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o',
        'subformat=dynamic,force_size=on', 'a.raw', 'base.vhd')
    random_raw('b.raw', 4)
    import vhdmake
    vhdmake.make_diff('base.vhd', 'b.raw', 'child.vhd')
    vhdtool('merge', 'child.vhd')
    qemu_equal('child.vhd', 'b.raw')
    true(not os.path.exists('base.vhd'), 'the merged parent is gone')


@claim('a copy back and forth through QEMU keeps the content')
def _():
    random_raw('a.raw', 5, 7 * MiB + 4 * KiB)
    vhdtool('convert', '-f', 'raw', '-O', 'dynamic', 'a.raw', 'a.vhd')
    run('qemu-img', 'convert', '-f', 'vpc', '-O', 'vpc', '-o',
        'subformat=fixed,force_size=on', 'a.vhd', 'b.vhd')
    vhdtool('compare', 'a.vhd', 'b.vhd')
    qemu_io('b.vhd', 'write -P 9 3M 512')
    vhdtool('compare', 'a.vhd', 'b.vhd', expect=3)


need_vhdtool()
if not have('qemu-img') or not have('qemu-io'):
    skip('no qemu-img, qemu-io')
main()

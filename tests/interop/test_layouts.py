# SPDX-License-Identifier: BSD-3-Clause
"""Files that lie unusually on the disk are read right, and stay right when
they are written."""
import os
import random

import vhdcheck
from interop import (claim, equal, folder, main, memory, need_vhdtool, to_raw,
                     true, vhdtool, vhdtool_json)
from layouts import LAYOUTS, READ_ONLY
from refvhd import MiB, Chain, Image, sha256_file
from vhdmake import Recipe, make_diff

BAD = ('error', 'fatal')


def each(names=None):
    """Every layout, in a directory of its own, while the caller is there."""
    for name in names or LAYOUTS:
        with folder(name) as path:
            LAYOUTS[name](os.path.join(path, 'x.vhd'))
            yield name


def writable():
    return [n for n in LAYOUTS if n not in READ_ONLY]


def serious(findings):
    return sorted({f[0] for f in findings if f[1] in BAD})


def all_of(failures):
    true(not failures, f'{len(failures)} of them:\n  ' + '\n  '.join(
        failures))


def collect(claims):
    """Runs each and gathers what fails, so that one run shows all."""
    failures = []
    for name, function in claims:
        try:
            function()
        except Exception as e:  # noqa: all of them are wanted
            failures.append(f'{name}: {type(e).__name__}: {e}')
    all_of(failures)


@claim(f'{len(LAYOUTS)} layouts read as the oracle reads them')
def _():
    collect((name, lambda: equal(
        sha256_file(to_raw('x.vhd')), Chain('x.vhd').sha256(), name))
        for name in each())


@claim('inspect counts their blocks and finds their parents')
def _():
    def one():
        ours, image = vhdtool_json('inspect', '--json', 'x.vhd'), \
            Image('x.vhd')
        equal(ours['virtual-size'], image.size, 'size')
        if image.bat:
            used = sum(e != 0xffffffff for e in image.bat[:image.need])
            equal(ours['blocks-allocated'], used, 'blocks')
        if image.header and image.type == 4:
            true(ours['parent-status'] in ('ok', 'timestamp-differs'),
                 f'parent-status {ours["parent-status"]}')
    collect((name, one) for name in each())


@claim('check gives the warnings and errors that the oracle gives, no other')
def _():
    def one():
        result = vhdtool_json('check', '--json', 'x.vhd', expect=None)
        ours = {(f['code'], f['severity']) for f in result['findings']}
        want = {f[:2] for f in vhdcheck.check('x.vhd')}
        equal(sorted(f for f in ours if f[1] != 'note'),
              sorted(f for f in want if f[1] != 'note'), 'findings')
    collect((name, one) for name in each())


def changed(path, new, seed=3):
    """The raw content of path with some changes in it."""
    rnd = random.Random(seed)
    data = bytearray(Chain(path).read())
    for at in (0, 2 * MiB - 512, len(data) - 512, *(
            rnd.randrange(len(data) // 512) * 512 for _ in range(20))):
        n = min(512 * rnd.randrange(1, 40), len(data) - at)
        data[at:at + n] = rnd.choice((bytes(n), rnd.randbytes(n)))
    with open(new, 'wb') as f:
        f.write(data)


def after_write(path, want):
    """The oracle reads the content, and finds nothing wrong."""
    chain = Chain(path)
    equal(chain.sha256(), want, 'content by the oracle')
    for layer in chain.layers:
        equal(serious(vhdcheck.check(layer.path)), [], f'{layer.path}: check')
    equal(sha256_file(to_raw(path)), want, 'content by vhdtool')


@claim('a merge into them writes what it should and breaks nothing')
def _():
    def one():
        changed('x.vhd', 'new.raw')
        make_diff('x.vhd', 'new.raw', 'top.vhd')
        vhdtool('merge', 'top.vhd')
        after_write('top.vhd', sha256_file('new.raw'))
        true(not os.path.exists('x.vhd'), 'the parent is gone')
    collect((name, one) for name in each(writable()))


@claim('a merge of them writes what it should')
def _():
    def one():
        want = Chain('x.vhd').sha256()
        vhdtool('merge', 'x.vhd')
        after_write('x.vhd', want)
        equal(os.listdir('.').count('base.vhd'), 0, 'base.vhd')
    collect((name, one) for name in each(
        n for n in writable() if is_child(n)))


def is_child(name):
    return name.startswith('child') or name == 'every-other-sector'


@claim('compact, by both ways, keeps what they read')
def _():
    def one():
        want = Chain('x.vhd').sha256()
        for mode in ('punch', 'repack'):
            vhdtool('compact', '--mode', mode, 'x.vhd')
            after_write('x.vhd', want)
    collect((name, one) for name in each(
        n for n in writable() if not n.startswith('fixed')))


@claim('growing them shows zeros behind what was there')
def _():
    def one():
        old = Chain('x.vhd')
        size, data = old.size, old.read()
        vhdtool('resize', 'x.vhd', '+5M')
        chain = Chain('x.vhd')
        equal(chain.size, size + 5 * MiB, 'size')
        true(chain.read() == data + bytes(5 * MiB), 'content by the oracle')
        equal(serious(vhdcheck.check('x.vhd')), [], 'check')
        to_raw('x.vhd')
        equal(sha256_file('out.raw'), chain.sha256(), 'content by vhdtool')
    collect((name, one) for name in each(writable()))


@claim('convert makes a dynamic and a fixed disk of them')
def _():
    def one():
        want = Chain('x.vhd').sha256()
        for kind in ('dynamic', 'fixed'):
            vhdtool('convert', '-O', kind, 'x.vhd', f'{kind}.vhd')
            equal(Chain(f'{kind}.vhd').sha256(), want, kind)
            equal([f for f in vhdcheck.check(f'{kind}.vhd')
                   if f.severity != 'note'], [], f'{kind}: check')
    collect((name, one) for name in each())


@claim('a merge takes the parent with its name in other letters')
def _():
    for name in each(['child-wrong-case']):
        Recipe('differencing', parent='x.vhd', size=9 * MiB).write(
            MiB, 512, 5).write_file('top.vhd')
        want = Chain('top.vhd').sha256()
        vhdtool('merge', 'top.vhd')
        after_write('top.vhd', want)


@claim('--ignore-bitmap reads what lies under clear bits, as QEMU does')
def _():
    for _name in each(['garbage-under-clear-bits']):
        vhdtool('convert', '--ignore-bitmap', '-O', 'raw', 'x.vhd', 'x.raw')
        equal(sha256_file('x.raw'),
              Chain('x.vhd', ignore_bitmap=True).sha256(), 'content')


need_vhdtool()
main(memory())

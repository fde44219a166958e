# SPDX-License-Identifier: BSD-3-Clause
"""check names every kind of damage by its code; --repair mends what can be
mended, once, without a change of content, and can be undone."""
import os

from interop import (claim, equal, folder, main, memory, need_vhdtool, to_raw,
                     true, vhdtool, vhdtool_json)
from refvhd import Chain, Error, sha256_file
from vhddamage import CASES, damage

# Repairs that nobody should have to ask twice for (format 20, "fix").
MENDED = ('V04', 'V04.zero', 'V04.sum', 'V05', 'V05.sum', 'V06', 'V08',
          'V12', 'V16', 'V24', 'V43', 'V52', 'V59', 'V60', 'V76', 'V88')


def collect(claims):
    failures = []
    for name, function in claims:
        try:
            function()
        except Exception as e:  # noqa: all of them are wanted
            failures.append(f'{name}: {type(e).__name__}: {e}')
    true(not failures, f'{len(failures)} of them:\n  ' +
         '\n  '.join(failures))


def each(names=CASES):
    for name in names:
        with folder(name) as path:
            damage(os.path.join(path, 'x.vhd'), name)
            yield name


def check(name, *options, expect=None):
    chain = ['--chain'] if CASES[name].chain else []
    return vhdtool_json('check', '--json', *chain, *options, 'x.vhd',
                        expect=expect)


def codes(result, *severities):
    return {f['code'] for f in result['findings']
            if f['severity'] in severities}


@claim(f'check reports {len(CASES)} kinds of damage, each by its code')
def _():
    def one(name):
        case = CASES[name]
        result = check(name)
        got = {(f['code'], f['severity']) for f in result['findings']}
        true((case.code, case.severity) in got,
             f'expected {case.code} {case.severity}, got {sorted(got)}')
        bad = codes(result, 'error', 'fatal', 'warning')
        more = bad - {case.code} - case.also
        equal(sorted(more), [], 'other findings')
    collect((name, lambda: one(name)) for name in each())


@claim('check counts errors and exits 3 for them, 0 for notes')
def _():
    def one(name):
        severity = CASES[name].severity
        result = check(name, expect=3 if severity in ('error', 'fatal') else
                       0)
        n = sum(f['severity'] in ('error', 'fatal')
                for f in result['findings'])
        equal(result['errors'], n, 'errors')
        equal(result['warnings'], sum(f['severity'] == 'warning' for f in
                                      result['findings']), 'warnings')
    collect((name, lambda: one(name)) for name in each(
        n for n in CASES if not CASES[n].also))


@claim('each finding has a sentence that names the file in text too')
def _():
    def one(name):
        done = vhdtool('check', *(['--chain'] if CASES[name].chain else []),
                       'x.vhd', expect=None)
        text = (done.stdout + done.stderr).decode()
        true(CASES[name].code in text, f'no {CASES[name].code} in {text!r}')
    collect((name, lambda: one(name)) for name in each())


def content():
    """What the guest sees, if the oracle can say."""
    try:
        return Chain('x.vhd').sha256()
    except (Error, LookupError, OverflowError, ValueError):
        return None


def repair_one(name):
    before, digest = content(), sha256_file('x.vhd')
    found = check(name)
    mendable = {f['code'] for f in found['findings'] if f['repairable']}
    result = check(name, '--repair', '--undo', 'undo')
    left = check(name)
    repaired = sha256_file('x.vhd')
    again = codes(left, 'error', 'fatal', 'warning', 'note') & mendable
    equal(sorted(again), [], 'still there after --repair')
    if name in MENDED:
        true(CASES[name].code in mendable, 'is not offered for repair')
    if mendable:
        true(result['repaired'] > 0, 'nothing was counted as repaired')
        true(repaired != digest, 'no byte changed')
    else:
        equal(repaired, digest, 'the file, with nothing to repair')
    if before:
        equal(content(), before, 'content after the repair')
    equal(check(name, '--repair')['repaired'], 0, 'repaired the second time')
    equal(sha256_file('x.vhd'), repaired, 'the file, repaired twice')
    return digest, mendable


@claim('--repair mends what is mendable, once, and keeps the content')
def _():
    collect((name, lambda: repair_one(name)) for name in each(
        n for n in CASES if not CASES[n].chain and n != 'V20'))


@claim('what was mended can be written again')
def _():
    def one(name):
        check(name, '--repair')
        want = content()
        vhdtool('resize', 'x.vhd', '+1M')
        chain = Chain('x.vhd')
        equal(sha256_file(to_raw('x.vhd')), chain.sha256(), 'content')
        vhdtool('resize', '--shrink', 'x.vhd', str(chain.size - (1 << 20)))
        equal(content(), want, 'content after resizing')
    collect((name, lambda: one(name)) for name in each(
        n for n in MENDED if not n.startswith(('V08', 'V16'))))


@claim('the undo file puts the old bytes back')
def _():
    def one(name):
        digest, mendable = repair_one(name)
        if mendable:
            vhdtool('check', '--restore', 'undo', 'x.vhd')
            equal(sha256_file('x.vhd'), digest, 'the file, undone')
    collect((name, lambda: one(name)) for name in each(MENDED))


@claim('a dry run of --repair changes nothing')
def _():
    def one(name):
        digest = sha256_file('x.vhd')
        vhdtool('check', '--repair', '--dry-run', 'x.vhd', expect=None)
        equal(sha256_file('x.vhd'), digest, 'the file')
    collect((name, lambda: one(name)) for name in each(MENDED[:4]))


@claim('fatal damage is refused by every command that opens the image')
def _():
    def one(name):
        for command in (['convert', '-O', 'raw', 'x.vhd', 'x.raw'],
                        ['map', 'x.vhd'], ['resize', 'x.vhd', '+1M'],
                        ['compact', 'x.vhd']):
            digest = sha256_file('x.vhd')
            done = vhdtool(*command, expect=None)
            true(done.returncode not in (0, 2) and done.returncode > 0,
                 f'{command}: exit {done.returncode}')
            true(b'x.vhd' in done.stderr, f'{command}: {done.stderr}')
            equal(sha256_file('x.vhd'), digest, f'{command}: the file')
    collect((name, lambda: one(name)) for name in each(
        n for n in CASES if CASES[n].severity == 'fatal'))


@claim('erroneous structures are not written to')
def _():
    def one(name):
        digest = sha256_file('x.vhd')
        vhdtool('compact', '--mode', 'repack', 'x.vhd', expect=None)
        if sha256_file('x.vhd') != digest:
            raise Error('changed')
    collect((name, lambda: one(name)) for name in each(
        n for n in CASES if n.split('.')[0] in (
            'V44', 'V46', 'V70', 'V71', 'V72', 'V73', 'V74') and
        CASES[n].severity == 'error'))


need_vhdtool()
main(memory())

# SPDX-License-Identifier: BSD-3-Clause
"""interop.py - what the interoperability tests share.

A test is a script of functions decorated with @claim("what must hold"); each
runs in an empty directory of its own, and the others go on when one fails.
The environment names the program (VHDTOOL), the nbdkit plugin (VHD_PLUGIN)
and the samples (VHD_IMAGES).
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

VHDTOOL = os.environ.get('VHDTOOL', '')
PLUGIN = os.environ.get('VHD_PLUGIN', '')
IMAGES = os.environ.get('VHD_IMAGES', '')
CLAIMS = []


class Failed(Exception):
    """A claim does not hold; str() says what was expected and seen."""


class Skipped(Exception):
    """A tool that one claim needs is not here."""


def claim(text, *tools):
    """Registers a function that shows this claim, with these tools."""
    def register(function):
        CLAIMS.append((text, tools, function))
        return function
    return register


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(77)


def have(program):
    return shutil.which(program, path=os.environ.get('PATH', '') +
                        ':/sbin:/usr/sbin')


def need_vhdtool():
    if not VHDTOOL or not os.access(VHDTOOL, os.X_OK):
        skip('vhdtool is not built')


def need_plugin():
    if not os.path.isfile(PLUGIN):
        skip('the nbdkit plugin is not built')


def need_images():
    if not os.path.isfile(os.path.join(IMAGES, 'README.md')):
        skip(f'no sample images at {IMAGES!r} (VHD_IMAGES)')


def equal(got, want, what):
    if got != want:
        raise Failed(f'{what}\n  expected: {want}\n  got:      {got}')


def true(condition, what):
    if not condition:
        raise Failed(what)


def run(*args, expect=0, **options):
    """Runs a program; expect is its exit code, or None for any."""
    program = have(str(args[0])) or args[0]
    args = [program, *map(str, args[1:])]
    options = {'capture_output': True, 'timeout': 250, **options}
    done = subprocess.run(args, **options)
    if expect is not None and done.returncode != expect:
        err = done.stderr or b''
        out = done.stdout or b''
        raise Failed(f'{" ".join(args)}\n  expected: exit {expect}\n  got:'
                     f'      exit {done.returncode}\n  stdout: '
                     f'{out[-800:].decode("utf-8", "replace")}\n  stderr: '
                     f'{err[-800:].decode("utf-8", "replace")}')
    return done


def vhdtool(*args, expect=0, **options):
    return run(VHDTOOL, *args, expect=expect, **options)


def vhdtool_json(*args, expect=0):
    done = vhdtool(*args, expect=expect)
    try:
        return json.loads(done.stdout)
    except ValueError as e:
        raise Failed(f'vhdtool {" ".join(map(str, args))}: not JSON: {e}\n'
                     f'  got: {done.stdout[:400]!r}')


def to_raw(path, out='out.raw'):
    """What the library says the guest sees, as a raw file."""
    vhdtool('convert', '-O', 'raw', '--force', path, out)
    return out


def memory():
    """A directory in memory for the many small images of some tests, which
    would mostly wait for flushes; None: there is none, or no room in it."""
    place = '/dev/shm'
    free = os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    if os.access(place, os.W_OK) and free > 1 << 30 and \
            shutil.disk_usage(place).free > 1 << 30:
        return place
    return None


@contextlib.contextmanager
def folder(name):
    """Work in a new directory, which is gone afterwards."""
    here = os.getcwd()
    os.mkdir(name)
    os.chdir(name)
    try:
        yield os.path.join(here, name)
    finally:
        os.chdir(here)
        shutil.rmtree(name)


def main(place=None):
    failed = skipped = 0
    for text, tools, function in CLAIMS:
        missing = [t for t in tools if not have(t)]
        if missing:
            print(f'SKIP: {text}: no {" ".join(missing)}')
            skipped += 1
            continue
        with tempfile.TemporaryDirectory(prefix='vhd-interop-',
                                         dir=place) as work:
            os.chdir(work)
            try:
                function()
                print(f'ok: {text}', flush=True)
            except Skipped as e:
                print(f'SKIP: {text}: {e}')
                skipped += 1
            except Exception as e:  # noqa: the next claim still runs
                failed += 1
                print(f'FAIL: {text}: {e}', flush=True)
                if not isinstance(e, Failed):
                    traceback.print_exc(file=sys.stdout)
            os.chdir('/')
    print(f'{len(CLAIMS) - failed - skipped} held, {failed} failed, '
          f'{skipped} skipped')
    sys.exit(1 if failed else 77 if skipped == len(CLAIMS) else 0)

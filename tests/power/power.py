#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""power.py - cut the power at every flush of the real programs.

vhdtool, nbdkit with our plugin, or vhdfuse work in a directory of passfs,
which logs whatever they do to files; or in a file system on a loop device
whose file is there.  A guest writes beside them.  Then, for each flush, what a
power cut at that moment may leave is made of the log: every disk and snapshot
that must be there is, is sound, and holds what was answered for.

    power.py [--on files|ext4|xfs|btrfs] [--through nbd|fuse] [--states N]
             [--steps N] [--seed N] [--lies files|names]

With --lies from some moment on no flush of files, or of directories, does
anything, which must be found.  Exits with 77 where it cannot be done.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

from bed import Bed, Wrong, mount
from history import NEVER, SECTOR
from media import Chance, Everything, Media, Nothing, flushes, records

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
from refvhd import Chain, Error  # noqa: E402

CHOICES = 6  # states at one flush


class Replay:
    def __init__(self, bed, place, options):
        self.bed, self.o, self.place = bed, options, place
        self.random = random.Random(options.seed)
        self.state, self.look = f'{place}/state', f'{place}/look'
        self.states = self.flushes = self.worked_on = 0

    def vhdtool(self, *words):
        done = subprocess.run([self.o.vhdtool, *words], capture_output=True,
                              check=False)
        if done.returncode:
            raise Wrong(f'vhdtool {" ".join(words)}: '
                        + (done.stdout[-600:] + done.stderr).decode())
        return done.stdout

    # ---- One state ----

    def content(self, path):
        self.vhdtool('check', '--chain', path)
        return self.vhdtool('convert', '-O', 'raw', path, '-')

    def check(self, image, moment):
        path = f'{self.look}/{image.path}'
        if not os.path.exists(path):
            if image.end <= moment < image.gone:
                raise Wrong(f'{image.path} is gone')
            return None
        content = self.content(path)
        wrong = self.bed.history.wrong_in(image, content, moment)
        if wrong:
            raise Wrong(f'{image.path}: {wrong}')
        return content

    def check_by_another(self, path, content):
        """Any reader of the format finds the same (D5)."""
        try:
            if Chain(path).read() != content:
                raise Wrong('it is not what the independent reader sees')
        except Error as why:
            raise Wrong(f'the independent reader: {why}') from why

    def work_on(self, path, content):
        """The disk can be written to, and has no finding after that."""
        first = self.random.randrange(self.bed.sectors - 40)
        done = subprocess.run([self.o.guest, path, str(first), '40', '7'],
                              capture_output=True, check=False)
        if done.returncode:
            raise Wrong(f'it cannot be written to: {done.stderr.decode()}')
        after = self.content(path)
        end = first + 40
        if after[:first * SECTOR] != content[:first * SECTOR] or \
                after[end * SECTOR:] != content[end * SECTOR:]:
            raise Wrong('a write to it changed other sectors')
        told = self.vhdtool('check', '--no-data', path).decode()
        if 'nothing found' not in told and ' 0 warnings' not in told:
            raise Wrong(f'after a write to it: {told}')
        self.worked_on += 1

    def examine(self, at):
        moment = (at, NEVER[0])  # after all that was known then
        disk, *others = self.bed.images
        for image in self.random.sample(others, min(len(others), 1)):
            self.check(image, moment)
        content = self.check(disk, moment)
        path = f'{self.look}/{disk.path}'
        if content and self.states % 8 == 0:
            self.check_by_another(path, content)
        if content and self.states % 8 == 4:
            self.work_on(path, content)
        self.states += 1

    def make(self, media, choice):
        shutil.rmtree(self.state, ignore_errors=True)
        os.mkdir(self.state)
        media.build(self.state, choice)

    def cut(self, media, at, choice):
        self.make(media, choice)
        if self.o.on == 'files':
            self.examine(at)
            return
        mount(f'{self.state}/device', self.look)
        try:
            self.examine(at)
        finally:
            subprocess.run(['umount', self.look], check=True)

    # ---- All of them ----

    def cuts(self, media, at):
        choices = [Nothing, Everything]
        while len(choices) < CHOICES:
            choices.append(Chance(self.random))
        for choice in choices:
            try:
                self.cut(media, at, choice)
            except Wrong as why:
                raise Wrong(f'power cut at byte {at} of the log, '
                            f'{getattr(choice, "__name__", "Chance")}: '
                            f'{why}') from why
        self.flushes += 1

    def run(self):
        if self.o.on == 'files':
            self.look = self.state
        else:
            os.mkdir(self.look)
        os.mkdir(f'{self.place}/media')
        media = Media(f'{self.place}/media')
        log, end = self.bed.log, self.bed.end
        chosen = flushes(log, self.bed.begin, end)
        if self.o.states < CHOICES * len(chosen):
            chosen = self.random.sample(chosen, self.o.states // CHOICES)
        chosen = set(chosen)
        for r in records(log, end):
            if r.at in chosen:
                self.cuts(media, r.at)
            if r.at > end // 2:
                media.lies = self.o.lies
            media.feed(r)


def options_of(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument('--on', default='files',
                        choices=('files', 'ext4', 'xfs', 'btrfs'))
    parser.add_argument('--through', default='nbd', choices=('nbd', 'fuse'))
    parser.add_argument('--states', type=int, default=300)
    parser.add_argument('--steps', type=int, default=150)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--lies', choices=('files', 'names'))
    for name in ('vhdtool', 'plugin', 'vhdfuse', 'passfs', 'guest'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--preload', default='')
    return parser.parse_args(argv)


def what_lacks(options):
    if not os.access('/dev/fuse', os.W_OK) or not options.passfs:
        return 'no FUSE'
    if options.through == 'nbd' and not shutil.which('nbdkit'):
        return 'no nbdkit'
    if options.on != 'files' and os.geteuid():
        return 'loop devices need root'
    if options.on != 'files' and not shutil.which(f'mkfs.{options.on}'):
        return f'no mkfs.{options.on}'
    return None


def tell(options, bed, why):
    again = ' '.join(f'--{k} {getattr(options, k)}'
                     for k in ('on', 'through', 'states', 'steps', 'seed'))
    print(f'FAIL power: {why}\n  ' + '\n  '.join(bed.story[-20:])
          + f'\n  rerun: power.py {again}')


def main():
    options = options_of(sys.argv[1:])
    if what_lacks(options):
        print(f'SKIP power: {what_lacks(options)}')
        return 77
    place = tempfile.mkdtemp(prefix='vhd-power.', dir=os.environ.get(
        'TMPDIR', '/dev/shm' if os.path.isdir('/dev/shm') else None))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bed, why = Bed(place, options), None
    replay = Replay(bed, place, options)
    try:
        bed.record()
        replay.run()
    except Wrong as wrong:
        why = wrong
    finally:
        bed.tear_down()
        shutil.rmtree(place)
    if options.lies and why and replay.flushes:
        print(f'power: flushes that do nothing are found: {why}')
        return 0
    if options.lies:
        why = why or 'flushes that do nothing are not found'
    if why:
        tell(options, bed, why)
        return 1
    print(f'power: {bed.did()}; {replay.states} states at {replay.flushes} '
          f'flushes on {options.on}, {replay.worked_on} worked on, all as '
          'they must be')
    return 0


sys.exit(main())

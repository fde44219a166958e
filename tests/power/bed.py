# SPDX-License-Identifier: BSD-3-Clause
"""bed.py - the real programs at work on a disk, in a place that logs.

The disk is served by nbdkit or vhdfuse, in several sessions that end well or by
kill -9.  A guest writes while vhdtool is asked for snapshots, deletions, merges
and compactions; between the sessions the same is done at rest.
"""
import os
import random
import subprocess
import sys
import time

from history import NEVER, SECTOR, History, Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'live'))
from nbdguest import FLUSH, FUA, READ, WRITE, ZERO, Client, Gone  # noqa: E402

MIB = 1 << 20
DEVICE = {'ext4': 64 * MIB, 'xfs': 320 * MIB, 'btrfs': 160 * MIB}


class Wrong(Exception):
    """A claim of this test does not hold."""


def mount(device, place):
    """On a loop device, which may be somebody else's in the meantime."""
    for _ in range(50):
        done = subprocess.run(['mount', '-o', 'loop,discard', device, place],
                              capture_output=True, check=False)
        if b'loop device' not in done.stderr:
            break
        time.sleep(0.02)
    if done.returncode:
        raise Wrong(f'{device}: {done.stderr.decode()}')


def unmount(place):
    """What FUSE mounted, whether or not its server is alive."""
    subprocess.run(['fusermount3', '-q', '-u', '-z', place], check=False)


class MountedDisk:
    """What a Client of nbdkit does, through vhdfuse."""
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)

    def ask(self, kind, offset=0, length=0, data=b'', flags=0):
        if kind == READ:
            return os.pread(self.fd, length, offset)
        if kind == FLUSH:
            os.fsync(self.fd)
        else:
            os.pwritev(self.fd, [data or bytes(length)], offset,
                       os.RWF_DSYNC if flags else 0)
        return b''

    def close(self):
        os.close(self.fd)


class Bed:
    sectors = 8192  # of the disk

    def __init__(self, place, options):
        self.o, self.place = options, place
        self.random = random.Random(options.seed)
        self.log, self.mount = f'{place}/log', f'{place}/mount'
        self.work = self.mount if options.on == 'files' else f'{place}/fs'
        self.history = History(self.sectors)
        self.images, self.story = [], []
        self.passfs = self.server = self.client = self.job = None
        self.begin = self.end = self.names = self.moments = 0
        self.was_killed = self.ever_killed = False
        self.counts = {}

    def logged(self):
        return os.stat(self.log).st_size

    def moment(self):
        self.moments += 1
        return self.logged(), self.moments

    def note(self, what, count=None):
        self.story.append(f'{self.logged()}: {what}')
        if count:
            self.counts[count] = self.counts.get(count, 0) + 1

    def did(self):
        return ', '.join(f'{n} {k}' for k, n in sorted(self.counts.items()))

    # ---- The place ----

    def wait_for(self, what, ready):
        end = time.monotonic() + 60
        while not ready():
            if time.monotonic() > end:
                raise Wrong(f'{what}: not within a minute')
            time.sleep(0.005)

    def set_up(self):
        for name in ('source', 'mount', 'fs', 'disk'):
            os.mkdir(f'{self.place}/{name}')
        self.passfs = subprocess.Popen(
            [self.o.passfs, '--link', '--exchange', '--punch', '--log',
             self.log, f'{self.place}/source', self.mount])
        self.wait_for('passfs', lambda: os.path.ismount(self.mount))
        if self.o.on != 'files':
            device = f'{self.mount}/device'
            with open(device, 'wb') as f:
                f.truncate(DEVICE[self.o.on])
            subprocess.run([f'mkfs.{self.o.on}', '-q', device], check=True,
                           capture_output=True)
            mount(device, self.work)
            subprocess.run(['sync', '-f', self.work], check=True)
            place = os.open(self.mount, os.O_RDONLY)
            os.fsync(place)
            os.close(place)
        self.begin = self.logged()

    def tear_down(self):
        for process in (self.server, self.job and self.job[0]):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        unmount(f'{self.place}/disk')
        for name in ('look', 'fs'):
            if os.path.ismount(f'{self.place}/{name}'):
                subprocess.run(['umount', f'{self.place}/{name}'], check=False)
        if self.passfs:
            self.passfs.terminate()
            self.passfs.wait()

    # ---- The server ----

    def start(self):
        socket = f'{self.place}/socket'
        if self.o.through == 'nbd':
            if os.path.exists(socket):
                os.unlink(socket)
            words = ['nbdkit', '-f', '-U', socket, self.o.plugin, 'disk.vhd',
                     'autoresume=true']
        else:
            words = [self.o.vhdfuse, '-f', 'disk.vhd', f'{self.place}/disk']
        self.server = subprocess.Popen(
            words, cwd=self.work, stdin=subprocess.DEVNULL,
            env=dict(os.environ, LD_PRELOAD=self.o.preload))

        def ready():
            if self.server.poll() is not None:
                raise Wrong('the server does not start')
            try:
                self.client = Client(socket) if self.o.through == 'nbd' \
                    else MountedDisk(f'{self.place}/disk/disk')
            except (Gone, OSError):
                return False
            return True
        self.wait_for('the server', ready)
        if self.was_killed:
            self.adopt()
        self.was_killed = False

    def adopt(self):
        content = b''.join(
            self.client.ask(READ, at, MIB)
            for at in range(0, self.sectors * SECTOR, MIB))
        wrong = self.history.adopt(content, self.moment())
        if wrong:
            raise Wrong(f'after a kill: {wrong}')

    def stop(self):
        begin = self.moment()
        self.client.close()
        if self.o.through == 'nbd':
            self.server.terminate()
        else:
            unmount(f'{self.place}/disk')
        if self.server.wait(60):
            raise Wrong('the server ends badly')
        self.history.flushes.append((begin, self.moment()))

    def kill(self):
        self.note('kill', 'kills')
        self.was_killed = self.ever_killed = True
        self.server.kill()
        self.server.wait()
        if self.o.through == 'fuse':
            unmount(f'{self.place}/disk')
        self.client.close()

    # ---- The guest ----

    def write(self):
        count = self.random.choice((1, 1, 3, 8, 64, 300))
        zero = self.random.random() < 0.15
        if zero and self.random.random() < 0.7:
            count = 1024  # a block, which may go
        first = self.random.randrange(self.sectors - count)
        first -= first % (1024 if count == 1024 else 1)
        flags = FUA if self.random.random() < 0.1 else 0
        data = self.history.asked(first, count, self.moment(), zero)
        if zero:
            self.client.ask(ZERO, first * SECTOR, count * SECTOR, flags=flags)
        else:
            self.client.ask(WRITE, first * SECTOR, len(data), data, flags)
        self.history.answered(first, count, self.moment(), bool(flags))
        self.note(f'{"zeros" if zero else "write"} {first} {count} {flags}',
                  'writes')

    def flush(self):
        begin = self.moment()
        self.client.ask(FLUSH)
        self.history.flushes.append((begin, self.moment()))
        self.note('flush', 'flushes')

    def step(self):
        if self.random.random() < 0.8:
            self.write()
        else:
            self.flush()

    # ---- Jobs ----

    def below(self):
        """What the disk stands on, from the lowest."""
        return [i for i in self.images[1:] if i.gone == NEVER
                and not i.path.startswith('copy')]

    def choose(self):
        """Words, what they bring, and what they take away."""
        there = self.below()
        if len(there) < 3 and self.random.random() < 0.5:
            self.names += 1
            return (('snapshot', 'create', 'disk.vhd', f's{self.names}'),
                    f'disk@s{self.names}.vhd', None)
        kind = self.random.choice(('compact', 'repack', 'delete', 'delete',
                                   'merge', 'convert'))
        named = [i for i in there if '@' in i.path]
        if kind == 'delete' and named:
            image = self.random.choice(named)
            return (('snapshot', 'delete', 'disk.vhd', image.path[5:-4]),
                    None, image)
        if kind == 'merge' and there:
            return ('merge', 'disk.vhd'), None, there[-1]
        if kind == 'convert' and not self.server:
            self.names += 1
            path = f'copy{self.names}.vhd'
            return ('convert', 'disk.vhd', path), path, None
        mode = ('--mode', 'repack') if kind == 'repack' else ()
        return ('compact', *mode, 'disk.vhd'), None, None

    def ask(self, words, brings=None, takes=None):
        begin, image = self.moment(), None
        if brings:
            image = Image(brings, begin, live=brings == 'disk.vhd')
            self.images.append(image)
        if takes:
            takes.gone = begin
        self.note('vhdtool ' + ' '.join(words), words[0])
        self.job = (subprocess.Popen(
            [self.o.vhdtool, *words], cwd=self.work, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE), words, image)

    def job_ends(self):
        process, words, image = self.job
        error = process.stderr.read().decode()
        if process.wait() == 0 and image:
            image.end = self.moment()
        elif process.returncode and not self.ever_killed:
            raise Wrong(f'vhdtool {" ".join(words)}: {error}')
        self.job = None
        self.note(error.strip() or 'done')

    def rest(self, *what):
        self.ask(*what)
        self.job_ends()

    # ---- All of it ----

    def create(self):
        size = str(self.sectors * SECTOR)
        words = ('--block-size', '512K')
        if self.random.random() < 0.5:
            self.rest(('create', *words, 'disk.vhd', size), 'disk.vhd')
            return
        self.rest(('create', *words, 'base.vhd', size), 'base.vhd')
        self.rest(('create', *words, '--parent', 'base.vhd', 'disk.vhd'),
                  'disk.vhd')
        self.images.reverse()  # the disk is first

    def session(self):
        self.start()
        for i in range(self.o.steps):
            if self.job and self.job[0].poll() is not None:
                self.job_ends()
            if not self.job and i % 12 == 6:
                self.ask(*self.choose())
            self.step()
        killed = self.random.random() < 0.4 and not (
            self.job and self.job[2])  # what it brings must not be in doubt
        if killed:
            self.kill()
        if self.job:
            self.job_ends()
        if not killed:
            self.stop()
        self.server = self.client = None

    def record(self):
        self.set_up()
        self.create()
        for _ in range(3):
            self.session()
            for _ in range(0 if self.was_killed else 2):
                self.rest(*self.choose())
        self.end = self.logged()
        if self.o.on != 'files':
            subprocess.run(['umount', self.work], check=True)

# SPDX-License-Identifier: BSD-3-Clause
"""kills.py - kill -9 in the middle of jobs, again and again.

A guest writes, flushes and reads while a job runs on its disk.  At a random
moment the server, the vhdtool that asked for the job, or both are killed; the
server is started again with autoresume=true, every page is read, and it goes
on.  With --small the file system is filled up now and then.
"""
import argparse
import glob
import os
import random
import subprocess
import sys
import time

from nbdguest import Gone, Guest, Refused, Wrong

SIZE = 48  # MiB
PAGES = SIZE * 256


class Bed:
    def __init__(self, options):
        self.o = options
        self.random = random.Random(options.seed)
        self.guest = Guest(PAGES, options.seed)
        self.server = self.asker = None
        self.server_died = False
        self.snapshots = 0
        self.killed = {'server': 0, 'vhdtool': 0, 'both': 0}
        self.jobs = {}

    def vhdtool(self, *words):
        return subprocess.run([self.o.vhdtool, *words], check=False,
                              capture_output=True, text=True)

    # ---- The server ----

    def start(self):
        if os.path.exists(self.o.socket):
            os.unlink(self.o.socket)
        env = dict(os.environ, LD_PRELOAD=self.o.preload)
        self.server = subprocess.Popen(
            ['nbdkit', '-f', '-U', self.o.socket, self.o.plugin, 'disk.vhd',
             'autoresume=true'], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.o.log, 'w'))
        end = time.monotonic() + 60
        while not self.guest.connect(self.o.socket):
            if self.server.poll() is not None or time.monotonic() > end:
                raise Wrong('the server does not start: ' + self.words())
            time.sleep(0.005)
        if self.server_died:
            self.guest.check_all()
        self.server_died = False

    def words(self):
        with open(self.o.log) as f:
            return f.read()

    def kill(self, process):
        process.kill()
        process.wait()

    def stop(self):
        self.guest.client.close()
        self.server.terminate()
        if self.server.wait(60):
            raise Wrong('the server ends badly: ' +
                        self.words())
        self.server = None

    # ---- Jobs ----

    def names(self):
        return [path[5:-4] for path in glob.glob('disk@*.vhd')
                if not path.startswith('disk@.')]

    def choose(self):
        names = self.names()
        if not names or (len(names) < 4 and self.random.random() < 0.3):
            self.snapshots += 1
            return ['snapshot', 'create', 'disk.vhd', f's{self.snapshots}']
        rate = self.random.choice((['--rate', '16M'], ['--rate', '64M'], []))
        return self.random.choice((
            ['merge', *rate, 'disk.vhd'],
            ['snapshot', 'delete', *rate, 'disk.vhd',
             self.random.choice(names)],
            ['compact', 'disk.vhd'],
            ['compact', '--mode', 'repack', 'disk.vhd']))

    def ask(self):
        words = self.choose()
        kind = ' '.join(w for w in words[:2] if w[0] != '-' and '.' not in w)
        self.jobs[kind] = self.jobs.get(kind, 0) + 1
        print('vhdtool', *words, flush=True)
        self.asker = subprocess.Popen(
            [self.o.vhdtool, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill_up(self):
        """All but a little of the space, for as long as the cycle takes."""
        st = os.statvfs('.')
        size = st.f_bavail * st.f_frsize - self.random.randrange(4 << 20)
        if size > 0:
            with open('filler', 'wb') as f:
                os.posix_fallocate(f.fileno(), 0, size)

    # ---- A cycle ----

    def work(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.guest.step()

    def kill_some(self):
        what = self.random.choice(('server', 'server', 'vhdtool', 'both'))
        self.killed[what] += 1
        print('kill', what, flush=True)
        if what != 'vhdtool':
            self.kill(self.server)
            self.server_died = True
            self.guest.client.close()
        if what != 'server':
            self.kill(self.asker)

    def cycle(self):
        if self.server_died or not self.server:
            self.start()
        if self.asker and self.asker.poll() is not None:
            self.asker = None
        self.work(0.05)
        if self.o.small and self.random.random() < 0.25:
            self.fill_up()
        if not self.asker:
            self.ask()
        self.work(self.random.random() * 0.5)
        self.kill_some()
        if self.server_died or self.asker.poll() is not None:
            self.asker.wait()
            self.asker = None
        if os.path.exists('filler'):
            os.unlink('filler')

    def end(self):
        """At rest everything is sound, and still what was written."""
        if self.server_died:
            self.start()
        if self.o.small:  # so small that the snapshots may have filled it
            subprocess.run(['mount', '-o', 'remount,size=1G', '.'], check=True)
        self.work(0.1)
        self.guest.flush()
        self.stop()
        self.guest.may = dict(self.guest.now)
        for path in glob.glob('*.vhd'):
            done = self.vhdtool('check', '--chain', path)
            if done.returncode:
                raise Wrong(f'check {path}: {done.stdout}{done.stderr}')
        self.server_died = True  # so that every page is read
        self.start()
        self.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--small', action='store_true')
    parser.add_argument('--cycles', type=int, default=30)
    parser.add_argument('--seed', type=int, default=1)
    for name in ('vhdtool', 'plugin', 'preload', 'socket', 'log'):
        parser.add_argument(f'--{name}', default='')
    bed = Bed(parser.parse_args())
    bed.vhdtool('create', '--block-size', '512K', 'disk.vhd', f'{SIZE}M')
    try:
        for n in range(bed.o.cycles):
            bed.cycle()
        bed.end()
    except (Wrong, Gone, Refused) as why:
        print(f'cycle {n + 1}, seed {bed.o.seed}: {why}', file=sys.stderr)
        return 1
    finally:
        for process in (bed.server, bed.asker):
            if process:
                bed.kill(process)
    print(f'{bed.o.cycles} cycles, {bed.guest.writes} writes, '
          f'{bed.guest.flushes} flushes, {bed.guest.refused} refused for want '
          f'of space; killed {bed.killed}; asked for {bed.jobs}')
    return 0


sys.exit(main())

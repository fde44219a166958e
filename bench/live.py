# SPDX-License-Identifier: BSD-3-Clause
"""live.py - what a guest feels of jobs on the disk that it uses, and what the
jobs feel of being live.

The disk lies in memory: what is measured is waiting for each other, and not
for a store.
"""
import json
import os
import shutil
import socket
import subprocess
import time

import harness
from harness import MiB, Case, Goal, Limit, Process, Skip, have, run

harness.HEADS.update({
    'quiet_ms': 'longest wait without, ms', 'busy_ms': 'with, ms',
    'above_ms': 'more, ms', 'taken_s': 'seconds'})


class Disk:
    """A parent full of data, and a child that has all of it again."""
    def __init__(self, place, options):
        self.vhdtool, self.plugin = options.vhdtool, options.plugin
        self.size = options.size
        self.first = os.path.join(place, 'live-first.vhd')
        self.dir = os.path.join(place, 'live')
        self.base = os.path.join(self.dir, 'base.vhd')
        self.disk = os.path.join(self.dir, 'disk.vhd')
        self.sock = os.path.join(place, 'live.sock')
        self.uri = f'nbd+unix:///?socket={self.sock}'

    def fill(self, path):
        with self.serve(path):
            run('fio', '--name=fill', '--ioengine=nbd', f'--uri={self.uri}',
                '--rw=write', '--bs=1M', f'--size={self.size}M')

    def prepare(self, child=True):
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        if not os.path.exists(self.first):
            run(self.vhdtool, 'create', self.first, f'{self.size}M')
            self.fill(self.first)
        shutil.copy(self.first, self.base)
        run(self.vhdtool, 'create', '--parent', self.base, self.disk)
        if child:
            self.fill(self.disk)

    def serve(self, path=None):
        if os.path.exists(self.sock):
            os.unlink(self.sock)
        return Process(['nbdkit', '-f', '-U', self.sock, self.plugin,
                        path or self.disk],
                       lambda: os.path.exists(self.sock))

    def merge(self, *options):
        return subprocess.Popen(
            [self.vhdtool, 'merge', *options, self.disk],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def guest(self, *words, seconds):
        """fio as a guest; the figures of its one job."""
        text = run('fio', '--name=guest', '--output-format=json',
                   '--ioengine=nbd', f'--uri={self.uri}', '--bs=4k',
                   '--time_based', f'--runtime={int(seconds * 1000)}ms',
                   '--randrepeat=0', '--norandommap',
                   f'--size={self.size}M', *words)
        return json.loads(text[text.index('{'):])['jobs'][0]

    def ask(self, command, **arguments):
        """A request to the server; see docs/control.md."""
        st = os.stat(self.disk)
        place = '/run' if os.geteuid() == 0 else os.environ['XDG_RUNTIME_DIR']
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f'{place}/vhd/{st.st_dev:x}-{st.st_ino:x}.sock')
            f = s.makefile('rw')
            f.write(json.dumps({'execute': command, 'id': 1,
                                'arguments': arguments}) + '\n')
            f.flush()
            for line in f:
                answer = json.loads(line)
                if answer.get('id') == 1:
                    break
        if 'error' in answer:
            raise Skip(answer['error']['desc'])


def longest_ms(job):
    return max(job[side]['lat_ns']['max']
               for side in ('read', 'write', 'sync')) / 1e6


def waits(quiet, busy):
    return {'quiet_ms': quiet, 'busy_ms': busy,
            'above_ms': max(busy - quiet, 0)}


def stall(disk, options):
    """The longest wait of a guest that writes and flushes."""
    words = ['--rw=randwrite', '--fsync=32']
    disk.prepare()
    with disk.serve():
        quiet = longest_ms(disk.guest(*words, seconds=options.seconds))
        job = disk.merge()
        busy = longest_ms(disk.guest(*words, seconds=options.seconds))
        if job.wait() != 0:
            raise Skip('the merge failed')
    return waits(quiet, busy)


def beside(disk, act):
    """The longest wait of a guest that writes, while five acts are done."""
    guest = subprocess.Popen(
        ['fio', '--name=guest', '--output-format=json', '--ioengine=nbd',
         f'--uri={disk.uri}', '--bs=4k', '--time_based', '--runtime=2',
         '--randrepeat=0', '--norandommap', f'--size={disk.size}M',
         '--rw=randwrite', '--iodepth=4'], stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    for i in range(5):
        time.sleep(0.2)
        act(i)
    text = guest.communicate()[0]
    return longest_ms(json.loads(text[text.index('{'):])['jobs'][0])


def snapshots(disk, options):
    """Without: another client flushes; a snapshot has to do that as well."""
    del options
    flushes = []

    def flush(_):
        begin = time.monotonic()
        run('qemu-io', '-f', 'raw', '-c', 'flush', disk.uri)
        flushes.append((time.monotonic() - begin) * 1000)

    disk.prepare(child=False)
    with disk.serve():
        quiet = max(beside(disk, flush), *flushes)
        busy = beside(disk, lambda i: disk.ask('snapshot-create',
                                               name=f's{i}'))
    return waits(quiet, busy)


def reads(disk, options, merge):
    """Random reads, all of them while the merge runs."""
    disk.prepare()
    seconds = options.seconds if merge is None or merge else 0.3
    with disk.serve():
        job = disk.merge(*merge) if merge is not None else None
        if job:
            time.sleep(0.05)
        told = disk.guest('--rw=randread', '--iodepth=4', seconds=seconds)
        if job:
            over = job.poll() is not None
            job.terminate()
            job.wait()
            if over:
                raise Skip('the merge was over first; try a larger --size')
    return {'iops': told['read']['iops']}


def merge_time(disk, live):
    disk.prepare()
    server = disk.serve() if live else None
    begin = time.monotonic()
    job = disk.merge()
    status = job.wait()
    taken = time.monotonic() - begin
    if server:
        server.__exit__()
    if status:
        raise Skip('the merge failed')
    return {'taken_s': taken, 'mib_s': disk.size / taken}


def cases(place, options):
    """Every case of a disk that is served."""
    have('nbdkit', 'fio', 'qemu-io')
    disk = Disk(place, options)
    slow = ['--rate', f'{disk.size * MiB // 16}']
    return [
        Case('live-merge-stall',
             'the longest wait of a guest, 4 KiB random writes with a flush '
             'after every 32, without and with a merge',
             {'libvhd': lambda: stall(disk, options)},
             [Limit('libvhd', 20, 'above_ms')],
             ('quiet_ms', 'busy_ms', 'above_ms')),
        Case('live-snapshot-pause',
             'the same of 4 writes at a time, with five flushes of another '
             'client and with five snapshots',
             {'libvhd': lambda: snapshots(disk, options)},
             [Limit('libvhd', 10, 'above_ms')],
             ('quiet_ms', 'busy_ms', 'above_ms')),
        Case('live-merge-read',
             '4 KiB random reads of a guest, 4 at a time, while nothing else '
             'runs, a merge, and a merge at a rate',
             {'nothing': lambda: reads(disk, options, None),
              'merge': lambda: reads(disk, options, []),
              'merge --rate': lambda: reads(disk, options, slow)},
             [Goal('merge', 0.5, 'nothing'),
              Goal('merge --rate', 0.9, 'nothing')], ('iops',)),
        Case('live-merge-time',
             'a merge of a whole disk into a whole parent, served and not',
             {'offline': lambda: merge_time(disk, False),
              'live': lambda: merge_time(disk, True)},
             [Goal('live', 0.9, 'offline', 'mib_s')], ('taken_s', 'mib_s')),
    ]

# SPDX-License-Identifier: BSD-3-Clause
"""mounts.py - file systems of their own to measure on.

The machine's own may be full, or mounted so that every hole waits for the
device.  The image file is read and written past the page cache, as a disk is,
so that nothing is cached twice.
"""
import atexit
import os
import shutil
import tempfile

from harness import MiB, Skip, have, run

FLAGS = {'ext4': ['-q', '-F'], 'xfs': ['-q', '-f'], 'btrfs': ['-q', '-f']}


class Mounted:
    """A new file system of a kind, until close() or the end of the program."""
    def __init__(self, kind, size, directory):
        have('mkfs.' + kind, 'losetup', 'mount', 'umount')
        if os.geteuid() != 0:
            raise Skip('to mount a file system takes root')
        self.base = tempfile.mkdtemp(prefix='vhd-bench-mount.', dir=directory)
        self.image = os.path.join(self.base, kind)
        self.place = os.path.join(self.base, 'mnt')
        self.device, self.mounted = None, False
        atexit.register(self.close)
        try:
            self.mount(kind, size)
        except Skip:
            self.close()
            raise

    def mount(self, kind, size):
        os.mkdir(self.place)
        with open(self.image, 'wb') as f:
            f.truncate(max(size, 512 * MiB))
        run('mkfs.' + kind, *FLAGS[kind], self.image)
        words = ('losetup', '--show', '-f', self.image)
        try:
            self.device = run(*words, '--direct-io=on').strip()
        except Skip:
            self.device = run(*words).strip()
        run('mount', self.device, self.place)
        self.mounted = True

    def close(self):
        if not self.base:
            return
        if self.mounted:
            run('umount', self.place)
        if self.device:
            run('losetup', '-d', self.device)
        shutil.rmtree(self.base)
        self.base = None

    def __enter__(self):
        return self.place

    def __exit__(self, *_):
        self.close()


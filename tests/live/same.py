# SPDX-License-Identifier: BSD-3-Clause
"""same.py - each command on a disk that is served, and on the same at rest.

Both begin with a copy of one tree of images.  Exit status, output, words, and
what all images read then, must be the same.  A command is a line of stdin; one
that ends with "# STATUS WORDS" is refused with these while the disk is served,
and changes nothing.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time

from refvhd import Chain, Error

UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
CHANGES = re.compile(r'("(free|rate)": ?|free: +)[0-9]+.*')
# On a slow machine there are more lines of progress; the last one counts.
EARLIER = re.compile(r'({"event":"progress".*\n)+(?={"event":"progress")')


class Side:
    """A copy of the tree, with a server or without."""
    def __init__(self, options, name):
        self.o, self.server = options, None
        self.dir = os.path.join(options.place, name)

    def begin(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.copytree(self.o.tree, self.dir)

    def serve(self):
        sock = os.path.join(self.o.place, 'sock')
        if os.path.exists(sock):
            os.unlink(sock)
        self.server = subprocess.Popen(
            ['nbdkit', '-f', '-U', sock, self.o.plugin, 'disk.vhd'],
            cwd=self.dir, stdin=subprocess.DEVNULL,
            env=dict(os.environ, LD_PRELOAD=self.o.preload))
        # By the time a client is answered, vhdtool is as well.
        while not self.answers(sock):
            if self.server.poll() is not None:
                sys.exit('the server does not start')
            time.sleep(0.005)

    @staticmethod
    def answers(sock):
        return os.path.exists(sock) and subprocess.run(
            ['nbdinfo', '--size', f'nbd+unix:///?socket={sock}'],
            check=False, capture_output=True).returncode == 0

    def end(self):
        if self.server:
            self.server.terminate()
            if self.server.wait():
                sys.exit('the server ends badly')
            self.server = None

    def vhdtool(self, *words):
        return subprocess.run(
            [self.o.vhdtool, *words], cwd=self.dir, check=False,
            stdin=subprocess.DEVNULL, capture_output=True)

    def plain(self, data):
        text = EARLIER.sub('', data.decode().replace(self.dir, '.'))
        return CHANGES.sub('', UUID.sub('UUID', text))

    def run(self, words):
        done = self.vhdtool(*words)
        self.end()
        return {'exit status': done.returncode,
                'output': self.plain(done.stdout),
                'words': self.plain(done.stderr),
                'images': self.images()}

    def images(self):
        return {self.plain(path.encode()): self.content(path)
                for path in sorted(glob.glob(f'{self.dir}/**/*.vhd',
                                             recursive=True))}

    def content(self, path):
        try:
            return Chain(path, dirs=[self.dir]).sha256()[:12]
        except Error:
            return 'no parent'


def compare(rest, live, before, line):
    """Run it on both; what is wrong, or nothing."""
    command, _, refusal = line.partition('#')
    rest.begin()
    live.begin()
    a = rest.run(command.split())
    live.serve()
    b = live.run(command.split())
    if refusal:
        status, words = refusal.split(None, 1)
        words = f'{words}, and no change'
        a = {'refusal': f'{status} {words}'}
        b = {'refusal': f'{b["exit status"]} ' + (
            words if words.split(',')[0] in b['words'] and not b['output'] and
            b['images'] == before else f'{b}')}
    return ''.join(f'vhdtool {command}: {key}\n  expected: {a[key]}\n'
                   f'  got:      {b[key]}\n' for key in a if a[key] != b[key])


def main():
    parser = argparse.ArgumentParser()
    for name in ('vhdtool', 'plugin', 'preload', 'tree', 'place'):
        parser.add_argument(f'--{name}', default='')
    o = parser.parse_args()
    rest, live = Side(o, 'rest'), Side(o, 'live')
    lines = sys.stdin.read().splitlines()
    rest.begin()
    before = rest.images()
    wrong = ''.join(compare(rest, live, before, line) for line in lines)
    print(wrong or f'{len(lines)} commands', end='\n' if not wrong else '')
    return bool(wrong)


sys.exit(main())

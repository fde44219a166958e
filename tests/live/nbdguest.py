# SPDX-License-Identifier: BSD-3-Clause
"""nbdguest.py - a guest that knows what it may read.

Every page that it writes holds its number and a version.  A read gives what
was written last; after a crash of the server a page has the version that it
had at the last flush, or one written since.
"""
import random
import socket
import struct

PAGE = 4096
READ, WRITE, FLUSH, ZERO = 0, 1, 3, 6
FUA = 1
ENOSPC = 28


class Gone(Exception):
    """The server went away."""


class Refused(Exception):
    """A request was answered with an error."""


class Wrong(Exception):
    """A page is not what it must be."""


class Client:
    """NBD, new style, one request at a time."""
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        try:
            self.s.connect(path)
            magic, have, _ = struct.unpack('>8s8sH', self.take(18))
            assert magic == b'NBDMAGIC' and have == b'IHAVEOPT'
            self.s.sendall(struct.pack('>I', 3))
            self.s.sendall(struct.pack('>8sII', b'IHAVEOPT', 1, 0))
            self.size, _ = struct.unpack('>QH', self.take(10))
        except OSError as why:
            raise Gone(str(why)) from why

    def take(self, n):
        data = b''
        while len(data) < n:
            more = self.s.recv(n - len(data))
            if not more:
                raise Gone('closed')
            data += more
        return data

    def ask(self, kind, offset=0, length=0, data=b'', flags=0):
        try:
            self.s.sendall(struct.pack('>IHHQQI', 0x25609513, flags, kind, 7,
                                       offset, length) + data)
            magic, error, _ = struct.unpack('>IIQ', self.take(16))
            assert magic == 0x67446698
            if error:
                raise Refused(error)
            return self.take(length) if kind == READ else b''
        except OSError as why:
            raise Gone(str(why)) from why

    def close(self):
        self.s.close()


class Guest:
    def __init__(self, pages, seed):
        self.random = random.Random(seed)
        self.pages, self.version = pages, 0
        self.now = {}  # page: the versions that a read may give
        self.may = {}  # page: those that it may have after a crash
        self.client = None
        self.writes = self.flushes = self.refused = 0

    @staticmethod
    def content(page, version):
        if not version:
            return bytes(PAGE)
        return struct.pack('>QQ', page, version) * (PAGE // 16)

    def check(self, page, allowed):
        data = self.client.ask(READ, page * PAGE, PAGE)
        for version in allowed:
            if data == self.content(page, version):
                return version
        raise Wrong(f'page {page} has {struct.unpack(">QQ", data[:16])}, '
                    f'but only versions {sorted(allowed)} are right')

    def connect(self, path):
        try:
            self.client = Client(path)
        except Gone:
            return False
        return True

    def check_all(self):
        """After a crash, what is there is what counts from then on."""
        for page in sorted(self.may):
            found = self.check(page, self.may[page] | self.now[page])
            self.now[page] = {found}
            self.may[page] = {found}

    def write(self):
        """A few pages in a row; unanswered, each may be there or not."""
        count = self.random.choice((1, 1, 1, 2, 16, 64))
        first = self.random.randrange(self.pages - count)
        pages = range(first, first + count)
        self.version += 1
        for page in pages:
            self.now.setdefault(page, {0}).add(self.version)
            self.may.setdefault(page, {0}).add(self.version)
        self.client.ask(WRITE, first * PAGE, count * PAGE, b''.join(
            self.content(page, self.version) for page in pages))
        for page in pages:
            self.now[page] = {self.version}
        self.writes += 1

    def flush(self):
        self.client.ask(FLUSH)
        self.may = {page: set(now) for page, now in self.now.items()}
        self.flushes += 1

    def step(self):
        what = self.random.random()
        try:
            if what < 0.6:
                self.write()
            elif what < 0.7:
                self.flush()
            elif self.now:
                page = self.random.choice(list(self.now))
                self.now[page] = {self.check(page, self.now[page])}
        except Refused as why:
            if why.args[0] != ENOSPC:
                raise
            self.refused += 1

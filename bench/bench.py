# SPDX-License-Identifier: BSD-3-Clause
"""bench.py - the command line of the benchmarks; see README.md.

Every file here named like a kind of front end has a function cases().
"""
import argparse
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
KINDS = [k for k in ('nbd', 'fuse', 'live', 'jobs')
         if os.path.exists(os.path.join(HERE, k + '.py'))]


def arguments():
    parser = argparse.ArgumentParser(
        prog='bench/run.sh',
        description='Measure libvhd against its peers on this machine.')
    parser.add_argument('names', nargs='*', metavar='KIND-OR-CASE',
                        help=f'{", ".join(KINDS)} or names of cases; all if '
                        'none is given')
    parser.add_argument('--build', default=os.path.join(SOURCE, 'build',
                                                        'release'),
                        help='the build to measure (build/release)')
    parser.add_argument('--dir', help='where the disks are made: a new '
                        'directory there, removed afterwards; /dev/shm')
    parser.add_argument('--disk', help='the same, for what needs a disk; for '
                        'root an ext4 in a file, else /var/tmp')
    parser.add_argument('--images', default='/var/tmp', help='where the '
                        'files of such file systems are made; /var/tmp')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=2,
                        help='length of one run')
    parser.add_argument('--size', type=int, default=1024, metavar='MIB',
                        help='of the disks (1024); a multiple of 64')
    parser.add_argument('--json', metavar='FILE', help='write all figures')
    parser.add_argument('--readme', action='store_true', help='put the table '
                        'of this kind into bench/README.md')
    parser.add_argument('--list', action='store_true', help='only list cases')
    options = parser.parse_args()
    if options.readme and (len(options.names) != 1 or
                           options.names[0] not in KINDS):
        parser.error('--readme: name one kind')
    options.vhdtool = os.path.join(options.build, 'vhdtool', 'vhdtool')
    options.plugin = os.path.join(options.build, 'nbdkit-plugin',
                                  'nbdkit-vhd-plugin.so')
    options.prims = os.path.join(options.build, 'bench', 'bench-prims')
    options.vhdfuse = os.path.join(options.build, 'fuse', 'vhdfuse')
    if not os.path.exists(options.vhdtool):
        parser.error(f'there is no {options.vhdtool}; cmake --preset release '
                     '&& cmake --build --preset release')
    return options


def first_line(*words):
    try:
        return subprocess.run(words, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, check=False
                              ).stdout.split('\n', 1)[0]
    except OSError:
        return ''


def number_in(text):
    found = re.search(r'\d+\.\d[\w.]*', text)
    return found.group() if found else None


def field_of(path, pattern):
    try:
        with open(path) as f:
            found = re.search(pattern, f.read(), re.M)
    except OSError:
        return 'unknown'
    return found.group(1).strip() if found else 'unknown'


def file_systems(place, options):
    """Where the disks lie: in memory, and for jobs on a disk."""
    names = [first_line('stat', '-f', '-c', '%T', place)]
    if not options.names or 'jobs' in options.names:
        names.append('ext4 in a file' if not options.disk and
                     os.geteuid() == 0 else
                     first_line('stat', '-f', '-c', '%T', options.disk or
                                options.images))
    return ' and '.join(names)


def machine(place, options):
    memory = int(field_of('/proc/meminfo', r'^MemTotal:\s*(\d+)')) // 1048576
    return {'cpu': field_of('/proc/cpuinfo', r'^model name\s*:(.*)$'),
            'cores': os.cpu_count(), 'memory': f'{memory} GiB',
            'kernel': platform.release(),
            'file-system': file_systems(place, options),
            'load': f'{os.getloadavg()[0]:.1f}'}


def compiler(build):
    cache = os.path.join(build, 'CMakeCache.txt')
    name = field_of(cache, r'^CMAKE_C_COMPILER:\w+=(.*)$')
    kind = field_of(cache, r'^CMAKE_BUILD_TYPE:\w+=(.*)$')
    return f'{first_line(name, "--version")}, {kind}'


def commit():
    name = first_line('git', '-C', SOURCE, 'rev-parse', '--short', 'HEAD')
    changed = first_line('git', '-C', SOURCE, 'status', '--porcelain', '-uno')
    return name + ('+changes' if changed else '')


def versions():
    tools = {'nbdkit': ('nbdkit', '--version'), 'fio': ('fio', '--version'),
             'qemu': ('qemu-nbd', '--version'),
             'coreutils': ('dd', '--version'),
             'vhd-util': ('vhd-util', '--version')}
    found = {tool: number_in(first_line(*words))
             for tool, words in tools.items()}
    return {tool: v for tool, v in found.items() if v}


def all_cases(place, options):
    for kind in KINDS:
        try:
            yield from ((kind, case) for case in importlib.import_module(
                kind).cases(place, options))
        except harness.Skip as why:
            say(f'{kind}: left out: {why}', True)


def put_into_readme(kind, text):
    """Between the two comments that name the kind."""
    path = os.path.join(HERE, 'README.md')
    begin, end = f'<!-- {kind} -->\n', f'<!-- end of {kind} -->\n'
    with open(path) as f:
        before, rest = f.read().split(begin)
    after = rest.split(end)[1]
    with open(path, 'w') as f:
        f.write(f'{before}{begin}\n{text}\n\n{end}{after}')


def say(text, lasting=False):
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='\n' if lasting else '',
              file=sys.stderr, flush=True)
    elif lasting:
        print(text, file=sys.stderr)


def main():
    options = arguments()
    place = tempfile.mkdtemp(prefix='vhd-bench.', dir=options.dir or
                             '/dev/shm')
    try:
        chosen = [case for kind, case in all_cases(place, options)
                  if not options.names or kind in options.names or
                  case.name in options.names]
        if options.list:
            for case in chosen:
                print(f'{case.name:24}{case.about}')
            return 0
        if not chosen:
            say('nothing to measure', True)
            return 77
        report = {'date': time.strftime('%Y-%m-%d'), 'commit': commit(),
                  'command': ' '.join(['bench/run.sh'] + sys.argv[1:]),
                  'machine': machine(place, options),
                  'versions': versions(),
                  'compiler': compiler(options.build),
                  'rounds': options.rounds, 'seconds': options.seconds,
                  'disk-size': options.size * harness.MiB}
        report['cases'] = [harness.measure(case, options.rounds, say)
                           for case in chosen]
        say('', False)
    finally:
        shutil.rmtree(place)
    print(harness.table(report))
    if options.readme:
        put_into_readme(options.names[0], harness.table(report))
    if options.json:
        with open(options.json, 'w') as f:
            json.dump(report, f, indent=1)
    return 1 if any(c['failed'] for c in report['cases']) else 0


sys.exit(main())

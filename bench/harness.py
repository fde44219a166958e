# SPDX-License-Identifier: BSD-3-Clause
"""harness.py - run contenders in turn, and say how they compare.

A case is one load and several contenders.  Contenders take turns: a round is
one run of each, every second round in reverse order.  A ratio is the median,
over the rounds, of what two contenders did in the same round, so that whatever
else the machine does at the time weighs on both.
"""
import json
import os
import signal
import statistics
import subprocess
import time

KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
TICK = os.sysconf('SC_CLK_TCK')


class Skip(Exception):
    """The case, or one contender, cannot be run here; str() says why."""


class Failed(Skip):
    """It should have been possible."""


def run(*words, **more):
    """Run a command that must succeed; what it printed."""
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          **more)
    if done.returncode:
        raise Failed(f'{words[0]} failed: {(done.stderr or done.stdout)[-300:]}')
    return done.stdout


def have(*programs):
    for program in programs:
        if not any(os.access(os.path.join(d, program), os.X_OK)
                   for d in os.environ['PATH'].split(':')):
            raise Skip(f'no {program}')


class Process:
    """A server, from ready to gone."""
    def __init__(self, words, ready, timeout=60):
        self.process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        end = time.monotonic() + timeout
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                text = self.process.stderr.read().decode()[-300:]
                raise Failed(f'{words[0]} did not start: {text}')
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def cpu(self):
        """Seconds of processor time so far, of all its threads."""
        with open(f'/proc/{self.pid}/stat') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """Resident bytes: all of it, and what is its own."""
        with open(f'/proc/{self.pid}/status') as f:
            lines = dict(line.split(':', 1) for line in f)
        return tuple(int(lines[key].split()[0]) * KiB
                     for key in ('VmRSS', 'RssAnon'))


def fio(server, *words):
    """Run fio against a server: operations and bytes a second, the slowest
    percent, and the server's processor time per operation."""
    before = server.cpu()
    text = run('fio', '--name=bench', '--output-format=json', *words)
    used = server.cpu() - before
    job = json.loads(text[text.index('{'):])['jobs'][0]
    sides = [job[s] for s in ('read', 'write') if job[s]['total_ios']]
    ops = sum(s['total_ios'] for s in sides)
    return {
        'iops': sum(s['iops'] for s in sides),
        'mib_s': sum(s['bw_bytes'] for s in sides) / MiB,
        'p99_us': max(s['clat_ns']['percentile']['99.000000']
                      for s in sides) / 1000,
        'cpu_us': used * 1e6 / ops,
    }


class Goal:
    """contender must be at least factor times over, in key."""
    def __init__(self, contender, factor, over, key='iops'):
        self.contender, self.factor = contender, factor
        self.over, self.key = over, key


class Limit:
    """contender must be at most so much, in key."""
    def __init__(self, contender, most, key):
        self.contender, self.most, self.key = contender, most, key


class Case:
    """name, a sentence, {contender: function of no argument that makes one
    run and returns its figures}, goals, and which figures to show."""
    def __init__(self, name, about, contenders, goals=(),
                 show=('iops', 'p99_us', 'cpu_us')):
        self.name, self.about = name, about
        self.contenders, self.goals, self.show = contenders, goals, show


def take_turns(case, rounds, say):
    """{contender: [figures of each round]}, and {contender: why it cannot run
    here}."""
    results = {name: [] for name in case.contenders}
    left_out = {}
    for i in range(rounds):
        order = list(results)
        for name in order if i % 2 == 0 else reversed(order):
            say(f'{case.name}: {name}, round {i + 1} of {rounds}')
            try:
                results[name].append(case.contenders[name]())
            except Skip as why:
                say(f'{case.name}: without {name}: {why}', True)
                left_out[name] = why
                del results[name]
    return results, left_out


def ratio(results, goal):
    pairs = zip(results[goal.contender], results[goal.over])
    return statistics.median(a[goal.key] / b[goal.key] for a, b in pairs)


def judge(case, results):
    """The goals, with what came of them."""
    told = []
    for goal in case.goals:
        if goal.contender not in results or \
                getattr(goal, 'over', goal.contender) not in results:
            continue
        if isinstance(goal, Limit):
            value = statistics.median(
                r[goal.key] for r in results[goal.contender])
            told.append({'contender': goal.contender, 'figure': goal.key,
                         'value': value, 'at-most': goal.most,
                         'met': value <= goal.most})
        else:
            value = ratio(results, goal)
            told.append({'contender': goal.contender, 'over': goal.over,
                         'figure': goal.key, 'value': value,
                         'at-least': goal.factor,
                         'met': value >= goal.factor})
    return told


def measure(case, rounds, say):
    """One case as it goes into the JSON."""
    results, left_out = take_turns(case, rounds, say)
    medians = {
        name: {key: statistics.median(r[key] for r in runs)
               for key in runs[0]}
        for name, runs in results.items() if runs
    }
    return {'name': case.name, 'about': case.about, 'show': list(case.show),
            'runs': results, 'medians': medians, 'left-out': {name: str(why) for name, why in left_out.items()},
            'failed': any(isinstance(w, Failed) for w in left_out.values()),
            'goals': judge(case, results)}


# ---- Words for people ----

HEADS = {'iops': 'op/s', 'mib_s': 'MiB/s', 'p99_us': 'p99 us',
         'cpu_us': 'CPU us/op', 'rss': 'RSS MiB', 'anon': 'own MiB',
         'extra': 'extra MiB', 'seconds': 's', 'cpu_s': 'CPU s', 'ms': 'ms',
         'cpu_ms': 'CPU ms'}


def figure(key, value):
    if key in ('rss', 'anon', 'extra'):
        return f'{value / MiB:.1f}'
    return f'{value:.3g}' if value < 100 else f'{value:.0f}'


def goal_text(goal):
    met = 'yes' if goal['met'] else '**no**'
    if 'over' in goal:
        return (f'{goal["value"]:.2f} x {goal["over"]} '
                f'(goal {goal["at-least"]:g}: {met})')
    return (f'{figure(goal["figure"], goal["value"])} '
            f'(at most {figure(goal["figure"], goal["at-most"])}: {met})')


def table(report):
    """Markdown that can also be read as it is."""
    m = report['machine']
    lines = [f'{m["cpu"]}, {m["cores"]} cores, {m["memory"]}, Linux '
             f'{m["kernel"]}, {m["file-system"]}; {report["compiler"]}',
             ', '.join(f'{k} {v}' for k, v in report['versions'].items()) +
             f'; {report["rounds"]} rounds, load {m["load"]}',
             f'commit {report["commit"]}, {report["date"]}: '
             f'`{report["command"]}`']
    for case in report['cases']:
        show = case['show']
        lines += ['', f'**{case["name"]}**: {case["about"]}', '',
                  '| | ' + ' | '.join(HEADS[k] for k in show) + ' |',
                  '|---|' + '---:|' * len(show)]
        for name, median in case['medians'].items():
            lines.append(f'| {name} | ' + ' | '.join(
                figure(k, median[k]) for k in show) + ' |')
        if case['goals']:
            lines += ['', ' '.join(f'{g["contender"]}: {goal_text(g)}.'
                                   for g in case['goals'])]
        if case['left-out']:
            lines += ['', ' '.join(f'Not run: {name} ({why}).' for name, why
                                   in case['left-out'].items())]
    return '\n'.join(lines)

#!/usr/bin/env python3
"""Mutation testing: puts one small fault at a time into a copy of this checkout, and says which test notices it.

See README.md beside this file. Exit status: 0 every folder reaches its bound, 1 one does not, 2 it could not be found out.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from faults import draw

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOUND = {'lightclient': 98, 'tee': 98, 'base': 98, 'overlay': 92, 'node': 92, 'rpc': 92, 'http': 92}  # per cent, by top folder
HEADERS = ['*/bytes.h']  # those whose functions are worth faults

# Path (a glob; the first row that fits holds), mutants, unit tests to try first, vector kinds. Tests with the file's name in theirs
# come before these by themselves, those that include its header after them, and all others that link it in the end.
LC = ['lightclient-spec', 'lightclient-gloas', 'lightclient-mainnet', 'beacon-json', 'devnet']
EXEC = ['mpt-proofs', 'headers', 'mainnet-calls', 'devnet', 'mainnet-blocks']
TDX = ['tdx-quotes', 'tdx', 'basic']
TEE = ['verify', 'mattest', 'negative_quote', 'negative_chain', 'negative_collateral', 'negative_tcb']
TABLE = [
    ('lightclient/consensus/*', 25, ['store', 'sync'], LC),
    ('lightclient/ssz/*', 15, ['ssz', 'lc_types', 'store'], LC),
    ('lightclient/bls/*', 20, ['bls', 'store'], ['bls', 'kzg', 'lightclient-spec']),
    ('lightclient/rlp/*', 20, ['rlp', 'mpt', 'header'], ['rlp', 'headers', 'transactions', 'mpt-proofs', 'blockchain']),
    ('lightclient/mpt/*', 25, ['mpt', 'trie'], ['mpt-proofs', 'trie', 'mainnet-calls', 'devnet']),
    ('lightclient/exec/*', 25, ['call', 'call_answers', 'block'], EXEC),
    ('lightclient/evm/*', 15, ['evm', 'transact', 'precompile'], ['evm-ops', 'precompiles', 'mainnet-calls', 'devnet']),
    ('lightclient/*', 20, [], LC + EXEC),
    ('tee/provider/*', 15, ['provider_dstack', 'provider_configfs'], []),
    ('tee/*', 20, TEE, TDX),
    ('base/bytes.h', 20, ['base', 'rlp', 'ssz', 'lc_types', 'mpt', 'quote', 'hello'], ['rlp', 'mpt-proofs', 'tdx-quotes']),
    ('base/crypto/*', 15, ['hash', 'ecdsa', 'p256', 'channel_crypto', 'keyring', 'keyring_share', 'shares'], ['crypto', 'precompiles', 'transactions', 'basic']),
    ('base/os/*', 15, ['file', 'worker', 'persist'], []),
    ('base/*', 20, ['base', 'u256', 'err', 'json', 'map'], ['basic']),
    ('overlay/wire/*', 20, ['proto', 'peerid', 'multiaddr', 'tlscert', 'multistream', 'noise', 'yamux', 'identify', 'record', 'circuit'], ['libp2p']),
    ('overlay/tpod/*', 20, ['tpod_codec', 'tpod_check', 'tpod_text', 'tpod_attest', 'tpod_serve'], []),
    ('overlay/net/*', 20, ['net', 'sendq', 'loop', 'sockets', 'tcp', 'quic', 'net_alloc'], []),
    ('overlay/*', 15, ['order', 'entry', 'keyshare', 'state', 'announce', 'floor', 'join', 'peers', 'gossip', 'generation', 'rotation', 'flood', 'bracha', 'relay', 'places'], []),
    ('http/*', 20, ['http_client', 'http_server', 'http_memory'], []),
    ('rpc/upstream/beacon.c', 20, ['beacon', 'follow'], ['beacon-json', 'devnet', 'lightclient-mainnet']),
    ('rpc/upstream/*', 25, ['jsonrpc', 'jsonrpc_errors', 'jsonrpc_headers', 'node_call'], ['mainnet-calls', 'devnet', 'mainnet-blocks']),
    ('rpc/members/*', 20, ['members', 'gateway_name'], []),
    ('rpc/api/*', 20, ['callobject', 'prototype', 'attestation', 'setup_statement'], []),
    ('node/*', 20, ['config', 'node_call', 'follow'], []),
]
MEMORY = 6 << 30      # bytes of address space for one


def row_of(file):
    return next((row[1:] for row in TABLE if fnmatch.fnmatchcase(file, row[0])), None)


def product_files(root):
    """Every C file of the product, and the headers of HEADERS."""
    listed = subprocess.run(['git', '-C', root, 'ls-files'], capture_output=True, text=True, check=True).stdout.split('\n')
    mine = [f for f in listed if f.split('/')[0] in BOUND]
    return [f for f in mine if f.endswith('.c') or any(fnmatch.fnmatchcase(f, h) for h in HEADERS)]


def chosen(files, only):
    """Those that a word of --only names: a path, a folder, a glob, or a bare file name."""
    if not only:
        return files
    out = []
    for word in only:
        word = word.rstrip('/')
        fit = [f for f in files if f == word or f.startswith(word + '/') or fnmatch.fnmatchcase(f, word) or os.path.basename(f) == word]
        if not fit:
            exit_with('mutate: no product file is called %s' % word)
        out += [f for f in fit if f not in out]
    return out


# ---- judged survivors

def squeezed(text):
    return ' '.join(text.split())


def whole_lines(src, start, end, new):
    """The lines that a fault touches, before and after, without regard to spaces: known.txt tells them by it."""
    a, b = src.rfind('\n', 0, start) + 1, src.find('\n', end)
    return squeezed(src[a:b]), squeezed(src[a:start] + new + src[end:b])


def read_known(path):
    """{(file name, op, before, after): class}; a file that moves keeps its rows."""
    known = {}
    for block in re.split(r'\n\s*\n', open(path).read()) if os.path.exists(path) else []:
        lines = [line for line in block.split('\n') if line.strip() and not line.startswith('#')]
        row = dict(line.split(': ', 1) for line in lines if ': ' in line)
        if not lines:
            continue
        if set(row) != {'file', 'op', 'before', 'after', 'class', 'why'} or row['class'] not in ('equivalent', 'performance', 'message'):
            exit_with('mutate: known.txt: this row is not complete, or its class is unknown:\n%s' % block)
        known[key_of(row)] = row['class']
    return known


def say_stale(known, root, files):
    """Names the rows whose line is no longer there: the code has changed, and the judgement is to be made anew."""
    texts = collections.defaultdict(str)
    for file in files:
        texts[os.path.basename(file)] += squeezed(open(os.path.join(root, file)).read()) + ' '
    for name, op, before, _ in known:
        if before not in texts[name]:
            print('mutate: known.txt: %s no longer has: %s (%s)' % (name, before, op))


def key_of(row):
    return os.path.basename(row['file']), row['op'], row['before'], row['after']


# ---- building and running

class Checkout:
    def __init__(self, path, vectors, jobs, limit):
        self.path, self.jobs, self.vector_folder, self.limit = path, jobs, vectors, limit
        self.build = os.path.join(self.path, 'build')
        self.env = dict(os.environ, CK_FORK='no', TEST_DATA=os.path.join(self.path, 'tests/data'))
        self.links, self.outputs, self.sound = {}, {}, {}

    def load(self):
        """What links what, from the files that meson wrote."""
        for line in open(os.path.join(self.build, 'build.ninja')):
            m = re.match(r'build (\S+): (\S+) (.*)', line)
            if m:
                self.links[m[1]] = m[3].split()
        for e in json.load(open(os.path.join(self.build, 'compile_commands.json'))):
            file = os.path.relpath(os.path.join(e['directory'], e['file']), self.path)
            self.outputs.setdefault(file, e['output'])

    def programs(self, file):
        """Test programs that a fault in the file can reach."""
        tests = [t for t in self.links if re.match(r'tests/(unit/test_|fuzz/replay_)\w+$', t) or t == 'vectors']
        if file.endswith('.h'):
            return tests
        obj = self.outputs.get(file)
        parts = [obj] + [t for t, inputs in self.links.items() if t.endswith('.a') and obj in inputs]
        return [t for t in tests if any(p in self.links[t] for p in parts)]

    def first_units(self, file, programs, wanted):
        """The unit tests that should notice first: with the file's name in theirs, those of the row, those that include its header."""
        stem = os.path.splitext(os.path.basename(file))[0]
        header = '#include "%s.h"' % os.path.splitext(file)[0]
        users = [u for u in sorted(os.listdir(os.path.join(self.path, 'tests/unit'))) if re.match(r'test_\w+\.c$', u) and
                 header in open(os.path.join(self.path, 'tests/unit', u)).read()]
        named = [os.path.basename(p)[5:] for p in sorted(programs) if '/test_' in p and stem in os.path.basename(p)[5:].split('_')]
        order = [stem] + named + wanted + [u[5:-2] for u in users]
        return [u for i, u in enumerate(order) if u not in order[:i] and 'tests/unit/test_' + u in programs]

    def ninja(self, targets):
        p = subprocess.run(['nice', 'ninja', '-C', self.build, '-j%d' % self.jobs] + targets, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, env=self.env)
        return p.returncode == 0

    def code(self, obj):
        """The object code without debug information, to see whether a mutant differs at all."""
        stripped = os.path.join(self.build, 'mutant.o')
        subprocess.run(['objcopy', '--strip-debug', os.path.join(self.build, obj), stripped], check=True)
        return open(stripped, 'rb').read()

    def passes(self, command):
        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
        p = subprocess.Popen(['nice'] + command, cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limits,
                             start_new_session=True)
        try:
            return p.wait(self.limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            return False

    def job(self, program):
        """(name, command) of a test program."""
        kind, name = re.match(r'tests/(unit|fuzz)/[a-z]+_(\w+)$', program).groups()
        command = [os.path.join(self.build, program)]
        return ('unit:' + name, command) if kind == 'unit' else (
            'replay:' + name, command + [os.path.join(self.path, 'tests/fuzz/corpus', name)])

    def vectors(self, kind):
        return 'vectors:' + kind, [os.path.join(self.build, 'vectors'), self.vector_folder, kind]

    def stages(self, file, units, kinds):
        """[(targets to build, jobs)], in the order in which they are tried."""
        programs = self.programs(file)
        first = ['tests/unit/test_' + u for u in self.first_units(file, programs, units)]
        rest = [p for p in programs if p not in first and p != 'vectors']
        out = [([p], [self.job(p)]) for p in first[:1]]
        out.append((first[1:], [self.job(p) for p in first[1:]]))
        if self.vector_folder and 'vectors' in programs:
            out.append((['vectors'], [self.vectors(k) for k in kinds]))
        out.append((rest, [self.job(p) for p in rest]))
        return [(targets, jobs) for targets, jobs in out if jobs]

    def keep_sound(self, stages):
        """Leaves out what fails without any fault, or takes too long: it would seem to notice everything."""
        out = []
        for targets, jobs in stages:
            new = [j for j in jobs if j[0] not in self.sound]
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                for j, ok in zip(new, pool.map(lambda j: self.passes(j[1]), new)):
                    self.sound[j[0]] = ok
                    if not ok:
                        print('mutate: left out, for it fails without any fault: %s' % j[0], flush=True)
            out.append((targets, [j for j in jobs if self.sound[j[0]]]))
        return out

    def first_failing(self, jobs):
        """Runs them, some at a time; the name of the first that fails, or None."""
        stop = threading.Event()

        def one(job):
            if stop.is_set() or self.passes(job[1]):
                return None
            stop.set()
            return job[0]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return next((r for r in list(pool.map(one, jobs)) if r), None)

    def notice(self, stages):
        """Which test notices the present state; None if none, '' if it does not build."""
        for targets, jobs in stages:
            if not self.ninja(targets):
                return ''
            by = self.first_failing(jobs)
            if by:
                return by
        return None


def make_scratch(folder, jobs):
    """A clone of this checkout in the folder, built; one that is there already is brought to the same commit."""
    path = os.path.join(folder, 'checkout')
    head = subprocess.run(['git', '-C', ROOT, 'rev-parse', 'HEAD'], capture_output=True, text=True, check=True).stdout.strip()
    if subprocess.run(['git', '-C', ROOT, 'status', '--porcelain'], capture_output=True, text=True).stdout:
        print('mutate: what is not committed is not tested')
    print('mutate: building %.12s in %s' % (head, path), flush=True)
    if not os.path.exists(path):
        subprocess.run(['git', 'clone', '--quiet', '--no-checkout', ROOT, path], check=True)
    subprocess.run(['git', '-C', path, 'fetch', '--quiet', ROOT, 'HEAD'], check=True)
    subprocess.run(['git', '-C', path, 'checkout', '--quiet', '--force', '--detach', head], check=True)
    modules = os.path.join(ROOT, 'node_modules')
    if os.path.exists(modules) and not os.path.exists(os.path.join(path, 'node_modules')):
        subprocess.run(['cp', '-a', modules, path], check=True)
    os.environ.update(CCACHE_BASEDIR=path, CCACHE_NOHASHDIR='true')  # so that the next scratch clone finds its objects
    build = os.path.join(path, 'build')
    if not os.path.exists(os.path.join(build, 'build.ninja')):
        subprocess.run(['meson', 'setup', build, path, '-Dwerror=false'], check=True, stdout=subprocess.DEVNULL)
    return path


# ---- one file


class Run:
    def __init__(self, args, checkout, known):
        self.args, self.checkout, self.known = args, checkout, known
        self.counts = collections.defaultdict(collections.Counter)
        self.survivors, self.unreached = [], []
        self.out = open(args.out, 'a') if args.out else None

    def drawn(self, file, src):
        """The faults to try, over all seeds, each once: (op, start, end, new), line."""
        seen = set()
        low, high = (int(x) for x in self.args.lines.split('-')) if self.args.lines else (1, 1 << 30)
        for seed in self.args.seed:
            for fault, line in draw(src, random.Random('%d %s' % (seed, file)), self.args.op):
                if low <= line <= high and fault not in seen:
                    seen.add(fault)
                    yield seed, fault, line

    def file(self, file, count, units, kinds):
        co, path = self.checkout, os.path.join(self.checkout.path, file)
        src = open(path).read()
        stages, clean, obj = None, None, co.outputs.get(file)
        if not self.args.list:
            programs = co.programs(file)
            if not programs:
                self.unreached.append(file)
                return
            if not co.ninja(programs):
                exit_with('mutate: the clean tree does not build')
            stages, clean = co.keep_sound(co.stages(file, units, kinds)), co.code(obj) if obj else None
        tried = collections.Counter()
        try:
            for seed, (op, start, end, new), line in self.drawn(file, src):
                if tried[seed] >= count + self.args.skip:
                    continue
                before, after = whole_lines(src, start, end, new)
                row = {'file': file, 'op': op, 'before': before, 'after': after, 'line': line, 'seed': seed}
                if tried[seed] < self.args.skip or self.args.list:
                    tried[seed] += 1
                    if self.args.list:
                        print(json.dumps(row))
                    continue
                began = time.time()
                open(path, 'w').write(src[:start] + new + src[end:])
                verdict, by = self.judge(row, obj, clean, stages)
                if verdict != 'nobuild':
                    tried[seed] += 1
                    self.count(row, verdict, by, time.time() - began, tried[seed], count)
        finally:
            open(path, 'w').write(src)

    def judge(self, row, obj, clean, stages):
        """(verdict, by): caught, same, survived, judged (a survivor of known.txt), nobuild."""
        if obj and not self.checkout.ninja([obj]):
            return 'nobuild', None
        if obj and self.checkout.code(obj) == clean:
            return 'same', None
        if key_of(row) in self.known:
            return 'judged', self.known[key_of(row)]
        by = self.checkout.notice(stages)
        return ('nobuild', None) if by == '' else ('caught', by) if by else ('survived', None)

    def count(self, row, verdict, by, seconds, number, of):
        self.counts[row['file'].split('/')[0]][verdict] += 1
        self.counts[row['file']][verdict] += 1
        print('%s:%d seed %d %d/%d %s: %s%s (%.1f s)' % (row['file'], row['line'], row['seed'], number, of, row['op'], verdict,
                                                       ', ' + by if by else '', seconds), flush=True)
        if verdict == 'survived':
            self.survivors.append(row)
        if self.out:
            print(json.dumps(dict(row, verdict=verdict, by=by, seconds=round(seconds, 1))), file=self.out, flush=True)

    def report(self):
        """Prints table and survivors; whether every folder reaches its bound."""
        good = True
        print('\n%-44s %8s %7s %6s %7s %9s %9s' % ('', 'mutants', 'caught', 'same', 'judged', 'survived', 'per cent'))
        for name in sorted(self.counts, key=lambda n: (n.split('/')[0], n)):
            c = self.counts[name]
            relevant = c['caught'] + c['survived']
            share = 100.0 * c['caught'] / relevant if relevant else 100.0
            short = name in BOUND and share < BOUND[name]
            good = good and not short
            label = name + '/' if name in BOUND else '  ' + name
            print('%-44s %8d %7d %6d %7d %9d %9.1f%s' % (label, sum(c.values()), c['caught'], c['same'], c['judged'], c['survived'], share,
                                                      '  below %d' % BOUND[name] if short else ''))
        if self.unreached:
            print('\nNo unit test, vector or replay links these (tests/e2e runs them):\n  ' + '\n  '.join(self.unreached))
        if self.survivors:
            print('\nSurvivors, as rows for known.txt once they are judged harmless:')
        for row in self.survivors:
            print('\n# line %d\nfile: %s\nop: %s\nbefore: %s\nafter: %s\nclass: \nwhy: ' % (
                row['line'], row['file'], row['op'], row['before'], row['after']))
        return good


def exit_with(text):
    print(text, file=sys.stderr)
    sys.exit(2)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--seed', type=int, nargs='+', action='extend', help='one or several; each draws its own mutants')
    ap.add_argument('--count', type=int, help='mutants per file and seed, instead of the table')
    ap.add_argument('--only', nargs='+', help='files, folders, globs or file names')
    ap.add_argument('--op', nargs='+', help='only these kinds of fault (faults.py lists them)')
    ap.add_argument('--lines', help='only faults on these lines, A-B')
    ap.add_argument('--skip', type=int, default=0, help='leave out the first so many of each draw, to go on later')
    ap.add_argument('--list', action='store_true', help='only print the mutants that would be tried')
    ap.add_argument('--out', help='append one JSON object per mutant to this file')
    ap.add_argument('--scratch', help='folder of the copy and its build, kept and used again; otherwise a temporary one')
    ap.add_argument('--vectors', default=os.path.join(ROOT, '../shared/vectors'), help='folder of the vectors; left out when not there')
    ap.add_argument('--limit', type=int, default=45, help='seconds for one test program or vector kind; more on a busy machine')
    ap.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    args = ap.parse_args()
    args.seed = args.seed or [1]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the scratch folder goes, and what is known is told
    every = product_files(ROOT)
    rowless = [f for f in every if not row_of(f)]
    if rowless:
        exit_with('mutate: no row of TABLE fits: ' + ' '.join(rowless))
    files = chosen(every, args.only)
    known = read_known(os.path.join(HERE, 'known.txt'))
    say_stale(known, ROOT, every)
    vectors = os.path.abspath(args.vectors) if os.path.isdir(args.vectors) else None
    if not vectors:
        print('mutate: %s is not there: no vectors' % args.vectors)
    scratch = os.path.abspath(args.scratch) if args.scratch else tempfile.mkdtemp(prefix='kettle-mutation-')
    try:
        os.makedirs(scratch, exist_ok=True)
        run = Run(args, Checkout(ROOT if args.list else make_scratch(scratch, args.jobs), vectors, args.jobs, args.limit), known)
        if not args.list:
            run.checkout.load()
        try:
            for file in files:
                count, units, kinds = row_of(file)
                run.file(file, args.count or count, units, kinds)
        except KeyboardInterrupt:
            run.report()
            exit_with('mutate: interrupted: the table is not complete')
        good = args.list or run.report()
    finally:
        if not args.scratch:
            shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()

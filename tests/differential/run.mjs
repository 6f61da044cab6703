// Random transactions on two EVMs, ours and @ethereumjs/evm: result, gas, output, logs and state must be the same.
//   run [--count N] [--seed S] [--from K] [--case K] [--fork NAME] [--evm PROGRAM] [--stop N]
// A case depends on seed and number only: `--seed S --case K` runs it again and shows it whole.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { differences } from './compare.mjs';
import { hex, u256, FORKS } from './common.mjs';
import { makeCase } from './generate.mjs';
import { runReference, traceReference } from './reference.mjs';

const text = { type: 'string' };
const built = fileURLToPath(new URL('../../build/tests/differential/differential_evm', import.meta.url));
const { values: args } = parseArgs({ options: { count: { ...text, default: '3000' }, seed: text, case: text, fork: text,
  from: { ...text, default: '0' }, evm: { ...text, default: built }, stop: { ...text, default: '5' } } });
if (args.fork && !FORKS[args.fork]) throw new Error(`no fork ${args.fork}; there are ${Object.keys(FORKS)}`);
const seed = args.seed ?? String(Date.now());
const first = Number(args.case ?? args.from), count = args.case ? 1 : Number(args.count);
const q = n => '0x' + n.toString(16);

// Our side: the program reads lines and answers lines, in order.
class Ours {
  constructor() {
    this.child = spawn(args.evm, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => {}); // the end of the program is noticed below
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async run(line, answers) {
    this.child.stdin.write(line + '\n');
    const out = [];
    while (out.length < answers) {
      const { value, done } = await this.lines.next();
      if (done) return null;
      out.push(JSON.parse(value));
    }
    return out;
  }
  end() { this.child.stdin.end(); }
}

function lineOf(c, limits) {
  const { tx, block } = c;
  return JSON.stringify({
    fork: c.fork.name, gas: limits,
    block: { ...block },
    pre: [...c.world].map(([address, a]) => ({ address, nonce: a.nonce, balance: a.balance, code: hex(a.code),
      storage: [...a.storage].map(([k, v]) => [u256(k), q(v)]) })),
    tx: { ...tx, data: hex(tx.data), authorizations: tx.authorizations.map(a =>
      ({ chainId: a.chainId, address: a.address, nonce: a.nonce, signer: a.spoilt ? null : a.key.address })) },
  }, (_, v) => (typeof v === 'bigint' || typeof v === 'number' ? q(v) : v));
}

// Runs a case with its own gas limit, and if it is to be swept, with some at which an instruction just is or just is
// not paid for.
async function reference(c) {
  const results = [await runReference(c, c.gas)];
  const limits = [c.gas], r = c.random;
  if (c.sweep && results[0].rc === 'ok') {
    const steps = await traceReference(c, c.gas);
    for (let i = 0; i < c.sweep; i++) {
      const used = results[0].gas, about = () => BigInt(r.below(3) - 1);
      const at = steps.length && r.chance(0.6) ? r.pick(steps) - about()
        : r.chance(0.1) ? used - about() : BigInt(r.between(20000, Number(used) + 20000));
      limits.push(at);
      results.push(await runReference(c, at));
    }
  }
  return { limits, results };
}

const tally = { programs: 0, transactions: 0, success: 0, revert: 0, halt: 0, refused: 0 };
const forks = {};
let failed = 0;

function report(c, limits, i, found, theirs, ours) {
  failed++;
  const where = `seed ${seed} case ${c.k} (${c.fork.name}, gas limit ${limits[i]})`;
  console.log(`DIFFERENCE ${where}: ${found.slice(0, 4).join('; ')}`);
  console.log(`  again: tests/differential/run --seed ${seed} --case ${c.k}${args.fork ? ` --fork ${args.fork}` : ''}`);
  if (args.case) {
    console.log(`  reference: ${theirs.rc} ${theirs.status ?? ''} ${theirs.why ?? ''}`);
    console.log(`  ours: ${JSON.stringify(ours)}`);
    console.log(`  input: ${lineOf(c, [limits[i]])}`);
  }
}

async function runCase(ours, k) {
  const c = makeCase(seed, k, args.fork);
  const { limits, results } = await reference(c);
  const answers = await ours.run(lineOf(c, limits), limits.length);
  if (!answers) throw new Error(`our program ended at seed ${seed} case ${k}`);
  tally.programs++;
  forks[c.fork.name] = (forks[c.fork.name] ?? 0) + 1;
  for (let i = 0; i < limits.length; i++) {
    tally.transactions++;
    tally[results[i].status ?? results[i].rc]++;
    const found = differences(c.world, results[i], answers[i]);
    if (found.length) return report(c, limits, i, found, results[i], answers[i]);
  }
}

console.log(`seed ${seed}, cases ${first} to ${first + count - 1}`);
const began = Date.now(), elapsed = () => Math.round((Date.now() - began) / 1000);
const ours = new Ours();
let shown = began;
for (let k = first; k < first + count && failed < Number(args.stop); k++) {
  await runCase(ours, k);
  if (Date.now() - shown > 10000) {
    shown = Date.now();
    const { programs, transactions } = tally;
    console.log(`  ${programs} programs, ${transactions} transactions, ${failed} differences, ${elapsed()} s`);
  }
}
ours.end();
console.log(`${tally.programs} programs, ${tally.transactions} transactions (${tally.success} success, ` +
  `${tally.revert} revert, ${tally.halt} halt, ${tally.refused} refused), ${failed} differences, ${elapsed()} s`);
console.log(Object.entries(forks).map(([name, n]) => `${name} ${n}`).join(', '));
process.exitCode = failed ? 1 : 0;

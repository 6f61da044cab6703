// Makes random programs: sequences of statements that mostly keep the stack in order, so that they get far, with a part
// that is broken on purpose.
import { concat, wordBytes } from './common.mjs';
import { precompileInput } from './inputs.mjs';

export const BIG = (1n << 256n) - 1n;
const POWERS = [8n, 16n, 31n, 32n, 53n, 63n, 64n, 127n, 128n, 160n, 192n, 248n, 255n, 256n];
const EDGES = [...new Set([0n, 1n, 2n, 3n, 7n, 15n, 20n, 30n, 31n, 32n, 33n, 63n, 64n, 65n, 96n, 255n, 256n,
  257n, BIG - 1n, BIG - 31n, ...POWERS.flatMap(p => [(1n << p) - 1n, (1n << p) & BIG, ((1n << p) + 1n) & BIG])])];
const SIZES = [0n, 0n, 1n, 2n, 4n, 20n, 31n, 32n, 32n, 33n, 63n, 64n, 65n, 96n, 127n, 128n, 256n, 1023n];

const asWord = bytes => bytes.reduce((n, b) => (n << 8n) | BigInt(b), 0n);

export function word(r) {
  return r.weighted([
    [6, () => r.pick(EDGES)],
    [2, () => BigInt(r.below(300))],
    [2, () => asWord(r.bytes(r.between(1, 32)))],
    [1, () => BIG - r.pick(EDGES)],
    [1, () => (1n << BigInt(r.below(256))) - BigInt(r.below(2))],
  ])();
}

const size = r => (r.chance(0.008) ? word(r) : r.chance(0.1) ? BigInt(r.below(2000)) : r.pick(SIZES));
const slot = r => (r.chance(0.05) ? word(r) : BigInt(r.below(4)));
const gas = r => r.weighted([[2, () => 0n], [3, () => BigInt(r.below(3000))], [5, () => BigInt(r.between(2000, 40000))],
  [1, () => BIG], [1, () => word(r)], [1, () => r.pick([2299n, 2300n, 2301n])]])();

// name: [byte, operands from the top: w word, o offset, l length, a address, k storage key, i small index, v value to
// store, d call value, g gas; results]
const OPS = {
  arithmetic: ['01ww', '02ww', '03ww', '04ww', '05ww', '06ww', '07ww', '08www', '09www', '0aww', '0biw', '10ww', '11ww',
    '12ww', '13ww', '14ww', '15w', '16ww', '17ww', '18ww', '19w', '1aiw', '1biw', '1ciw', '1diw', '1ew', '20ol'],
  context: ['30', '31a', '32', '33', '34', '35o', '36', '38', '3a', '3ba', '3d', '3fa', '40b', '41', '42', '43', '44',
    '45', '46', '47', '48', '49i', '4a', '4b', '58', '59', '5a', '51o', '54k', '5ck', '5f'],
  effects: ['52ow', '52ow', '53ow', '55kv', '55kv', '55kv', '5dkv', '5dkv', '37ool', '39ool', '3eool', '5eool', 'a0ol',
    'a1olw', 'a2olww', 'a3olwww', 'a4olwwww', '3caool'],
};
const parse = list => list.map(t => ({ byte: parseInt(t.slice(0, 2), 16), takes: t.slice(2) }));
const ARITHMETIC = parse(OPS.arithmetic), CONTEXT = parse(OPS.context), EFFECTS = parse(OPS.effects);
const SINCE = { 0x48: 'london', 0x5f: 'shanghai', 0x49: 'cancun', 0x4a: 'cancun', 0x5c: 'cancun', 0x5d: 'cancun',
  0x5e: 'cancun', 0x1e: 'osaka', 0x4b: 'amsterdam' };
// Instructions that push something without an operand; two DUPs.
const SOURCES = [0x30, 0x33, 0x34, 0x36, 0x3a, 0x3d, 0x43, 0x45, 0x47, 0x59, 0x5a, 0x80, 0x81];
// The calls, and whether they take a value.
const CALLS = { 0xf1: true, 0xf2: true, 0xf4: false, 0xfa: false };

class Assembler {
  constructor(r, options) {
    this.r = r;
    this.options = options;
    this.code = [];
    this.data = []; // [place of a two-byte operand, bytes appended to the code]
  }
  byte(...b) { this.code.push(...b); }
  push(n) {
    const { r, options } = this;
    if (n === 0n && options.fork.shanghai && r.chance(0.5)) return this.byte(0x5f);
    let length = n === 0n ? 1 : Math.ceil(n.toString(16).length / 2);
    if (r.chance(0.05)) length = r.between(length, 32);
    this.byte(0x5f + length, ...wordBytes(n, length));
  }
  pushPlace() { // of what is known later
    this.byte(0x61, 0, 0);
    return this.code.length - 2;
  }
  setPlace(at, n) { this.code[at] = (n >> 8) & 0xff; this.code[at + 1] = n & 0xff; }
  // Copies bytes to memory, from the code's end.
  load(bytes, offset) {
    this.push(BigInt(bytes.length));
    this.data.push([this.pushPlace(), bytes]);
    this.push(BigInt(offset));
    this.byte(0x39);
  }
  operand(kind) {
    const { r } = this;
    switch (kind) {
      case 'w': return r.chance(0.25) ? this.byte(r.pick(SOURCES)) : this.push(word(r));
      case 'o': case 'l': return this.push(size(r));
      case 'k': return this.push(slot(r));
      case 'v': return r.chance(0.8) ? this.push(BigInt(r.below(3))) : this.operand('w');
      case 'i': return this.push(r.chance(0.8) ? BigInt(r.below(260)) : word(r));
      case 'b': return r.chance(0.2) ? this.push(word(r)) : this.ancestor();
      case 'a': return this.address();
      case 'd': return this.push(r.weighted([[6, 0n], [4, 1n], [1, 2n], [1, 1n << 64n], [1, BIG]]));
      case 'g': return r.chance(0.25) ? this.byte(0x5a) : this.push(gas(r));
      default: throw new Error(kind);
    }
  }
  ancestor() { // a block's number, mostly at the edges of what BLOCKHASH knows
    this.push(this.r.pick([0n, 1n, 2n, 255n, 256n, 257n, BigInt(this.r.below(300))]));
    this.byte(0x43, 0x03);
  }
  address() {
    const { r } = this;
    if (r.chance(0.08)) return this.byte(r.pick([0x30, 0x33, 0x41, 0x32, 0x80, 0x81]));
    let n = BigInt(r.pick(this.options.targets));
    if (r.chance(0.03)) n |= asWord(r.bytes(12)) << 160n; // the upper bytes do not count
    this.push(n);
  }
  instruction({ byte, takes }) {
    for (let i = takes.length - 1; i >= 0; i--) this.operand(takes[i]);
    this.byte(byte);
  }
  // What becomes of a result on the stack.
  result() {
    this.r.weighted([
      [4, () => {}],
      [3, () => { this.push(slot(this.r)); this.byte(0x55); }],
      [4, () => { this.push(size(this.r) & 0xffffn); this.byte(0x52); }],
      [2, () => this.byte(0x50)],
      [1, () => this.byte(0x80, 0x15)],
    ])();
  }
  // One of a list; seldom one that the fork does not have.
  of(list) {
    const { r, options: { fork } } = this;
    for (;;) {
      const op = r.pick(list), since = SINCE[op.byte];
      if (!since || fork[since] || r.chance(0.02)) return op;
    }
  }
  arithmetic() {
    const op = this.of(ARITHMETIC);
    if (this.r.chance(0.1)) this.byte(op.byte); else this.instruction(op);
    this.result();
  }
  context() { this.instruction(this.of(CONTEXT)); this.result(); }
  // Who calls whom, with what: stored or logged, so that a frame's context shows in the end.
  witness() {
    const { r } = this;
    this.byte(r.pick([0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x47, 0x59, 0x5a]));
    if (r.chance(0.7)) {
      this.push(BigInt(r.below(4)));
      this.byte(0x55);
    } else {
      this.push(0n);
      this.push(0n);
      this.byte(0xa1);
    }
  }
  effect() { this.instruction(this.of(EFFECTS)); }
  callOf(byte, address, input) { // input: undefined, or its length
    const { r } = this;
    this.operand('l'); this.operand('o');
    if (input === undefined) { this.operand('l'); this.operand('o'); } else { this.push(BigInt(input)); this.push(0n); }
    if (CALLS[byte]) this.operand('d');
    address();
    this.operand('g');
    this.byte(byte);
    this.result();
    if (r.chance(0.4)) { // all that came back
      this.byte(0x3d);
      this.push(r.chance(0.9) ? 0n : size(r));
      this.operand('o');
      this.byte(0x3e);
    }
  }
  call() { this.callOf(Number(this.r.pick(Object.keys(CALLS))), () => this.address()); }
  precompile() {
    const { r } = this;
    // Pairings and multi-scalar products take the reference long.
    const index = r.weighted([[6, 1], [3, 2], [3, 3], [3, 4], [8, 5], [3, 6], [3, 7], [1, 8], [3, 9], [1, 0xa],
      [2, 0xb], [1, 0xc], [2, 0xd], [1, 0xe], [1, 0xf], [1, 0x10], [1, 0x11], [3, 0x100]]);
    const input = precompileInput(r, index);
    this.load(input, 0);
    this.callOf(r.pick([0xf1, 0xfa, 0xf2, 0xf4]), () => this.push(BigInt(index)), input.length);
  }
  create() {
    const { r, options } = this;
    if (options.depth >= 2) return this.arithmetic();
    const init = program(r, { ...options, depth: options.depth + 1, init: true });
    const again = r.chance(0.1), two = r.chance(0.5);
    this.load(init, 0);
    for (let i = again ? 2 : 1; i > 0; i--) {
      if (two) this.push(BigInt(r.below(2)));
      this.push(r.chance(0.02) ? r.pick(options.fork.amsterdam ? [131072n, 131073n, 65536n] : [49152n, 49153n, 24576n]) : BigInt(init.length));
      this.push(0n);
      this.operand('d');
      this.byte(two ? 0xf5 : 0xf0);
    }
    if (r.chance(0.5)) { // the new contract is called
      this.byte(0x80);
      this.callOf(Number(r.pick(Object.keys(CALLS))), () => this.byte(0x84));
    } else {
      this.result();
    }
  }
  jump() {
    const { r } = this;
    this.operand(r.chance(0.5) ? 'v' : 'w');
    if (r.chance(0.06)) { // to anywhere
      this.push(r.chance(0.5) ? BigInt(r.below(this.code.length + 40)) : word(r));
      return this.byte(0x57);
    }
    const place = this.pushPlace();
    this.byte(0x57);
    this.statements(r.between(1, 3));
    this.setPlace(place, this.code.length);
    this.byte(0x5b);
  }
  loop() {
    const { r } = this;
    if (this.inLoop) return this.effect();
    this.inLoop = true;
    this.push(BigInt(r.between(1, 6)));
    const top = this.code.length;
    this.byte(0x5b);
    this.effect();
    this.push(1n);
    this.byte(0x90, 0x03, 0x80);
    this.setPlace(this.pushPlace(), top);
    this.byte(0x57, 0x50);
    this.inLoop = false;
  }
  stack() {
    const { r } = this;
    if (r.chance(0.02)) { for (let i = r.between(900, 1100); i > 0; i--) this.byte(0x36); return; } // about the limit
    if (this.options.fork.amsterdam && r.chance(0.3)) return this.deepStack();
    this.byte(r.chance(0.5) ? 0x80 + r.below(r.chance(0.8) ? 3 : 16) : 0x90 + r.below(r.chance(0.8) ? 3 : 16));
  }
  // DUPN, SWAPN, EXCHANGE: mostly of what is on the stack.
  deepStack() {
    const { r } = this;
    const byte = 0xe6 + r.below(3);
    for (let i = r.chance(0.7) ? r.between(10, 24) : 0; i > 0; i--) this.push(BigInt(i));
    const shallow = byte === 0xe8 ? r.pick([0x8e, 0x9d, 0x8d, 0x2f, 0x50, 0x51, 0x80]) : 0x80 + r.below(8);
    this.byte(byte, r.chance(0.8) ? shallow : r.below(256));
  }
  end() {
    const { r } = this;
    r.weighted([
      [5, () => { this.operand('l'); this.operand('o'); this.byte(0xf3); }],
      [2, () => { this.operand('l'); this.operand('o'); this.byte(0xfd); }],
      [3, () => this.byte(0x00)],
      [1, () => { this.address(); this.byte(0xff); }],
      [1, () => this.byte(0xfe)],
      [2, () => {}],
      [1, () => this.byte(0x60 + r.below(32), ...r.bytes(r.below(4)))], // a PUSH over the end
    ])();
  }
  endIf() {
    this.push(BigInt(this.r.below(2)));
    const place = this.pushPlace();
    this.byte(0x57);
    this.end();
    this.setPlace(place, this.code.length);
    this.byte(0x5b);
  }
  statement() {
    const { r, options } = this;
    r.weighted([
      [24, () => this.arithmetic()],
      [14, () => this.context()],
      [20, () => this.effect()],
      [options.depth ? 5 : 10, () => this.call()],
      [6, () => this.witness()],
      [5, () => this.precompile()],
      [options.depth ? 2 : 6, () => this.create()],
      [5, () => this.jump()],
      [2, () => this.loop()],
      [5, () => this.stack()],
      [1, () => this.byte(...r.bytes(r.between(1, 3)))],
      [1, () => this.endIf()],
    ])();
  }
  statements(n) { for (; n > 0; n--) this.statement(); }
  // Ends creation code: what it returns becomes the contract.
  deploy() {
    const { r, options } = this;
    if (r.chance(0.06)) { // at the size limit of contracts, or a first byte of 0xef
      if (r.chance(0.5)) {
        this.push(0xefn);
        this.push(0n);
        this.byte(0x53);
        this.push(r.pick([1n, 2n, 23n]));
        this.push(0n);
      } else {
        this.push(r.pick(options.fork.amsterdam ? [65535n, 65536n, 65537n] : [24575n, 24576n, 24577n]));
        this.push(r.pick([0n, 64n]));
      }
      return this.byte(0xf3);
    }
    const runtime = program(r, { ...options, depth: options.depth + 1 });
    this.load(runtime, 0);
    this.push(BigInt(runtime.length));
    this.push(0n);
    this.byte(0xf3);
  }
  finish() {
    const parts = [Uint8Array.from(this.code)];
    let length = this.code.length;
    for (const [place, bytes] of this.data) {
      this.setPlace(place, length);
      parts.push(bytes);
      length += bytes.length;
    }
    parts[0] = Uint8Array.from(this.code);
    return concat(...parts);
  }
}

// options: fork, targets (addresses), depth (of creations around it), init (whether it is creation code)
export function program(r, options) {
  if (r.chance(0.02)) return r.bytes(r.between(0, 60));
  const a = new Assembler(r, options);
  for (let i = r.chance(0.1) ? 0 : r.between(4, options.depth ? 8 : 20); i > 0; i--) a.push(word(r));
  a.statements(options.depth ? r.below(5) : r.between(1, 14));
  if (options.init && r.chance(0.8)) a.deploy(); else a.end();
  return a.finish();
}

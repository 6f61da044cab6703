// Makes a random case: a state, a block and a transaction. Values and sizes come mostly from the edges of their ranges.
import { precompileInput } from './inputs.mjs';
import { Random } from './random.mjs';
import { FORKS, KEYS, addressOfWord, concat, createAddress, delegation, hex, u256 } from './common.mjs';
import { BIG, program, word } from './program.mjs';

const CONTRACTS = [0xa1, 0xa2, 0xa3].map(last => '0x10000000000000000000000000000000000000' + last.toString(16));
const PLAIN = '0x20000000000000000000000000000000000000e1';    // has only a balance
const NOBODY = '0x30000000000000000000000000000000000000f1';   // not in the state
const COINBASE = '0x40000000000000000000000000000000000000c0';
const MAX_NONCE = (1n << 64n) - 1n;
const atMost = (n, max) => (n < max ? n : max);

// No balance comes near 2^256: a transfer that overflows cannot happen on a chain, and the two sides differ in what
// they do with it (ethereumjs halts the frame with "value overflow").
const BALANCES = [0n, 1n, 2n, 1000n, 10n ** 18n, 1n << 64n, 1n << 128n];

function storage(r) {
  const slots = new Map();
  for (let i = r.below(5); i > 0; i--) slots.set(r.chance(0.8) ? BigInt(r.below(4)) : word(r), word(r) || 1n);
  return slots;
}

function accounts(r, fork, targets) {
  const world = new Map();
  const nothing = () => ({ nonce: 0n, balance: 0n, code: new Uint8Array(), storage: new Map() });
  const add = (address, a) => world.set(address, { ...nothing(), ...a });
  for (const address of CONTRACTS)
    add(address, {
      nonce: r.weighted([[95, 1n], [2, MAX_NONCE], [2, MAX_NONCE - 1n], [1, 1n << 63n]]),
      balance: r.pick(BALANCES), code: program(r, { fork, targets, depth: 0 }), storage: storage(r),
    });
  add(PLAIN, { balance: r.pick(BALANCES) || 1n });
  if (r.chance(0.5)) add(COINBASE, { balance: r.pick(BALANCES) || 1n });
  if (r.chance(0.1)) add(addressOfWord(BigInt(r.between(1, 0x11))), { balance: 1n });
  // What CREATE would make is there already. Without storage: EIP-7610's further condition is not in ethereumjs.
  if (r.chance(0.04))
    add(createAddress(CONTRACTS[0], 1n),
      r.pick([{ nonce: 1n }, { balance: 5n }, { nonce: 1n, code: Uint8Array.of(0) }]));
  KEYS.forEach((key, i) => {
    const delegates = fork.prague && r.chance(i === 0 ? 0.15 : 0.6);
    if (i === 0 || delegates || r.chance(0.5))
      add(key.address, {
        nonce: r.weighted([[80, BigInt(r.below(3))], [i ? 10 : 1, MAX_NONCE - 1n], [i ? 10 : 1, MAX_NONCE],
          [5, 1n << 32n]]),
        balance: i === 0 ? r.weighted([[50, 1n << 110n], [1, 10n ** 15n]]) : r.pick(BALANCES) || 1n,
        code: delegates ? delegation(r.pick(targets)) : new Uint8Array(),
        storage: delegates ? storage(r) : new Map(),
      });
  });
  return world;
}

function makeBlock(r, fork) {
  return {
    number: r.weighted([[9, 1000n], [1, BigInt(r.between(1, 300))]]),
    timestamp: 1700000000n,
    gasLimit: fork.amsterdam ? 200000000n : 30000000n,
    coinbase: r.weighted([[8, COINBASE], [1, CONTRACTS[0]], [1, KEYS[0].address]]),
    random: fork.paris ? word(r) : BigInt(r.between(1, 1 << 30)), // the difficulty, before Paris
    baseFee: fork.london ? r.pick([0n, 7n, 10n ** 9n]) : 0n,
    excessBlobGas: fork.cancun ? r.pick([0n, 393216n, 50000000n]) : 0n,
    slotNumber: fork.amsterdam ? r.pick([0n, 77n, MAX_NONCE]) : 0n,
  };
}

function authorization(r, world, targets) {
  const key = r.pick(KEYS), known = world.get(key.address);
  const nonce = (known?.nonce ?? 0n) + (key === KEYS[0] ? 1n : 0n);
  return {
    key, spoilt: r.chance(0.05),
    chainId: r.weighted([[6, 1n], [6, 0n], [1, 2n], [1, BIG]]),
    address: r.chance(0.15) ? addressOfWord(0n) : r.pick(targets),
    nonce: r.weighted([[10, atMost(nonce, MAX_NONCE)], [2, 0n], [1, 1n], [1, MAX_NONCE], [1, MAX_NONCE - 1n]]),
  };
}

function fees(r, block, type) {
  const tip = r.pick([0n, 1n, 10n ** 9n]), low = r.chance(0.01) ? -1n : 0n;
  const price = block.baseFee + tip + low < 0n ? 0n : block.baseFee + tip + low;
  if (type < 2) return { gasPrice: price, maxFee: 0n, maxPriorityFee: 0n };
  return { gasPrice: 0n, maxFee: price + r.pick([0n, 0n, 5n]), maxPriorityFee: r.chance(0.5) ? tip : price };
}

function accessList(r, targets) {
  const key = () => u256(r.chance(0.8) ? BigInt(r.below(4)) : word(r));
  return Array.from({ length: r.below(4) }, () => ({
    address: r.pick(targets), storageKeys: Array.from({ length: r.below(4) }, key),
  }));
}

function transaction(r, fork, world, block, targets) {
  const type = r.weighted([[5, 0], [2, 1], [fork.london ? 3 : 0, 2], [fork.cancun ? 1 : 0, 3],
    [fork.prague ? 4 : 0, 4]]);
  const to = r.weighted([[12, CONTRACTS[0]], [2, r.pick(targets)], [2, r.pick(KEYS).address],
    [type < 3 ? 3 : 0, null]]);
  const precompile = to && BigInt(to) && BigInt(to) <= 0x100n ? Number(BigInt(to)) : 0;
  return {
    type, to, from: KEYS[0].address,
    value: r.weighted([[6, 0n], [3, 1n], [1, 10n ** 18n], [1, 1n << 100n]]),
    data: to === null ? program(r, { fork, targets, depth: 1, init: true })
      : precompile ? precompileInput(r, precompile) : r.bytes(r.pick([0, 0, 1, 4, 31, 32, 33, 64, 100, 300])),
    nonce: atMost(world.get(KEYS[0].address).nonce + (r.chance(0.005) ? 1n : 0n), MAX_NONCE),
    access: type > 0 ? accessList(r, targets) : [],
    maxBlobFee: type === 3 ? r.weighted([[20, 10n ** 12n], [1, 1n]]) : 0n,
    blobs: type === 3 ? Array.from({ length: r.between(1, 3) }, () => hex(concat(Uint8Array.of(1), r.bytes(31)))) : [],
    authorizations: type === 4 ? Array.from({ length: r.between(1, 3) }, () => authorization(r, world, targets)) : [],
    ...fees(r, block, type),
  };
}

// Amsterdam: what is above 2^24 is for the state only.
function gasLimit(r, fork) {
  const low = BigInt(r.weighted([[2, 100000], [6, 400000], [6, 1000000], [1, r.between(40000, 60000)]]));
  if (!fork.amsterdam) return low + (r.chance(0.002) ? 12000000n : 0n);
  return r.weighted([[6, low], [3, (1n << 24n) + BigInt(r.pick([0, 1, 35190, 97920, 183600, 400000, 2000000]))],
    [1, (1n << 24n) - low]]);
}

// Case number k of a seed. sweep: how many further gas limits are to be tried.
export function makeCase(seed, k, only) {
  const r = new Random(seed, k);
  const fork = FORKS[only ?? r.weighted([[1, 'berlin'], [2, 'london'], [1, 'paris'], [2, 'shanghai'], [4, 'cancun'],
    [5, 'prague'], [6, 'osaka'], [6, 'amsterdam']])];
  const targets = [...CONTRACTS, ...CONTRACTS, PLAIN, NOBODY, COINBASE, ...KEYS.map(key => key.address),
    ...[1, 2, 3, 4, 5, 9, 0xa, 0xb, 0x11, 0x12, 0x100, r.between(0, 0x13)].map(n => addressOfWord(BigInt(n))),
    createAddress(CONTRACTS[0], 1n)];
  const world = accounts(r, fork, targets);
  const block = makeBlock(r, fork);
  const tx = transaction(r, fork, world, block, targets);
  return {
    k, fork, world, block, tx,
    gas: gasLimit(r, fork),
    sweep: r.chance(0.15) ? 10 : 0,
    random: r,
  };
}

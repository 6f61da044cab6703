// The reference: a case on @ethereumjs/vm, which runs transactions on @ethereumjs/evm.
import { createBlock } from '@ethereumjs/block';
import { Common, Mainnet } from '@ethereumjs/common';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { EVMError } from '@ethereumjs/evm';
import { createTx } from '@ethereumjs/tx';
import { Account, Address, equalsBytes } from '@ethereumjs/util';
import { createVM, runTx } from '@ethereumjs/vm';
import { addressOfWord, hex, keccak, signAuthorization, unhex, u256 } from './common.mjs';

// Not among what the package exports.
const { Interpreter } = await import(new URL('interpreter.js', import.meta.resolve('@ethereumjs/evm')));

// Blob transactions must find a KZG library; nothing is proven here (see inputs.mjs, 0x0a).
const customCrypto = { kzg: { verifyProof: () => false } };
const blockchain = {
  getBlock: async n => ({ hash: () => keccak(new TextEncoder().encode(String(n))) }),
  shallowCopy() { return this; },
};
const vms = new Map();

// No fork has EOF (EIP-3540 is withdrawn), but the reference pushes 0 for init code that begins with ef00. It is code
// like any other, whose first byte halts its frame. The reference's first look at it is whether it is EOF.
function forgetEof(evm) {
  for (const byte of [0xf0, 0xf5]) {
    const entry = evm._opcodeMap[byte], run = entry.opHandler;
    entry.opHandler = async (state, common) => {
      const { memory } = state;
      const read = (...range) => {
        const code = memory.read(...range);
        if (code[0] === 0xef) code.subarray = () => { delete code.subarray; return new Uint8Array(); };
        return code;
      };
      state.memory = Object.create(memory, { read: { value: read } });
      try {
        await run(state, common);
      } finally {
        state.memory = memory;
      }
    };
  }
}

// What a creation that reverts returns is no code to deploy, and may begin with ef (EIP-3541). The reference looks at it
// all the same, and halts.
function allowReverts(evm) {
  const create = evm._executeCreate, run = evm.runInterpreter;
  let output = null; // of the creation whose frame has just ended
  evm._executeCreate = async function (...args) {
    const result = await create.apply(this, args);
    if (output) result.execResult.returnValue = output;
    output = null;
    return result;
  };
  evm.runInterpreter = async function (message, ...rest) {
    const result = await run.call(this, message, ...rest);
    if (!message.isCreate || !result.exceptionError || result.returnValue[0] !== 0xef) return result;
    output = result.returnValue;
    return { ...result, returnValue: new Uint8Array(output.length) };
  };
}

// Precompiles on curves take the reference milliseconds. A contract that calls itself asks the same a thousand times,
// at each gas limit again: what succeeded is kept for as long as the case is the same.
const SLOW = [1, 5, 6, 7, 8, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11, 0x100];
const kept = { of: null, results: new Map() };

function keepResults(evm) {
  for (const n of SLOW) {
    const address = addressOfWord(BigInt(n)).slice(2), run = evm.precompiles.get(address);
    if (!run) continue;
    evm.precompiles.set(address, async input => {
      const id = address + hex(input.data), known = kept.results.get(id);
      if (known && known.executionGasUsed <= input.gasLimit)
        return { ...known, returnValue: known.returnValue.slice() };
      const result = await run(input);
      if (!result.exceptionError) kept.results.set(id, { ...result, returnValue: result.returnValue.slice() });
      return result;
    });
  }
}

// Amsterdam, where the reference is not as go-ethereum and the EIPs are.
function mendAmsterdam(evm) {
  // A precompile that fails does not revert: what its account had cost is consumed with the rest.
  for (const [address, run] of evm.precompiles)
    evm.precompiles.set(address, async input => {
      const result = await run(input);
      if (result.exceptionError?.error === 'revert') result.exceptionError = new EVMError('out of gas');
      return result;
    });
  // A creation that is refused before it begins (depth, balance, nonce) does not pay for the account first.
  for (const byte of [0xf0, 0xf5]) {
    const entry = evm._opcodeMap[byte], price = entry.gasHandler;
    entry.gasHandler = async (state, gas, common) => {
      const { depth, contract } = state.interpreter._env;
      if (depth < 1024 && contract.balance >= state.stack.peek(1)[0] && contract.nonce < (1n << 64n) - 1n)
        return price(state, gas, common);
      const param = common.param;
      common.param = name => (name === 'stateBytesPerNewAccount' ? 0n : param.call(common, name));
      try {
        return await price(state, gas, common);
      } finally {
        common.param = param;
      }
    };
  }
  // All but one 64th is of what is left once the account is paid for (EIP-8037): the reference takes it before that.
  const call = evm._opcodeMap[0xf1], price = call.gasHandler;
  call.gasHandler = async (state, gas, common) => {
    const asked = state.stack.peek(1)[0], cost = await price(state, gas, common);
    if (state.lastCallNewAccountStateGas) {
      const left = state.interpreter.getGasLeft() - cost, most = left - left / 64n;
      state.messageGasLimit = asked < most ? asked : most;
    }
    return cost;
  };
  // A CALL that cannot pay after it has looked at its target leaves the reservoir, as any halt does.
  Object.defineProperty(evm, 'eip7928CallPostTargetOog', { get: () => false, set: () => {} });
}

async function vmOf(fork) {
  if (!vms.has(fork.name)) {
    const common = new Common({ chain: Mainnet, hardfork: fork.name, customCrypto });
    const vm = await createVM({ common, blockchain, stateManager: new SimpleStateManager({ common }) });
    forgetEof(vm.evm);
    allowReverts(vm.evm);
    keepResults(vm.evm);
    if (fork.amsterdam) mendAmsterdam(vm.evm);
    vms.set(fork.name, vm);
  }
  return vms.get(fork.name);
}

async function fill(state, world) {
  for (const [address, a] of world) {
    const at = new Address(unhex(address));
    await state.putAccount(at, new Account(a.nonce, a.balance));
    if (a.code.length) await state.putCode(at, a.code);
    for (const [key, value] of a.storage) await state.putStorage(at, unhex(u256(key)), unhex(u256(value)));
  }
}

function blockOf({ block: b, fork }, common) {
  return createBlock({
    header: {
      number: b.number, timestamp: b.timestamp, gasLimit: b.gasLimit, coinbase: b.coinbase,
      ...(fork.paris ? { mixHash: u256(b.random) } : { difficulty: b.random }),
      ...(fork.london ? { baseFeePerGas: b.baseFee } : {}),
      ...(fork.cancun ? { excessBlobGas: b.excessBlobGas } : {}),
      ...(fork.amsterdam ? { slotNumber: b.slotNumber } : {}),
    },
  }, { common, skipConsensusFormatValidation: true });
}

function txOf({ tx: t }, gasLimit, common) {
  const tx = createTx({
    type: t.type, nonce: t.nonce, gasLimit, to: t.to ?? undefined, value: t.value, data: t.data,
    ...(t.type < 2 ? { gasPrice: t.gasPrice } : { maxFeePerGas: t.maxFee, maxPriorityFeePerGas: t.maxPriorityFee }),
    ...(t.type > 0 ? { chainId: 1n, accessList: t.access } : {}),
    ...(t.type === 3 ? { maxFeePerBlobGas: t.maxBlobFee, blobVersionedHashes: t.blobs } : {}),
    ...(t.type === 4 ? { authorizationList: t.authorizations.map(signAuthorization) } : {}),
  }, { common, freeze: false });
  tx.getSenderAddress = () => new Address(unhex(t.from)); // not signed: who sends is not what is tested
  tx.isSigned = () => true;
  tx.hash = () => new Uint8Array(32);
  return tx;
}

const EMPTY = keccak(new Uint8Array());

// The state as Map(address -> { nonce, balance, code, storage: Map(key -> value) }), zero slots left out.
function dump(state) {
  const out = new Map();
  const codes = state.topCodeStack();
  for (const [address, a] of state.topAccountStack())
    if (a) out.set(address, {
      nonce: a.nonce, balance: a.balance, storage: new Map(),
      code: equalsBytes(a.codeHash, EMPTY) ? '0x' : hex(codes.get(address)),
    });
  for (const [id, bytes] of state.topStorageStack()) {
    const [address, key] = id.split('_');
    const value = BigInt(bytes.length ? hex(bytes) : 0);
    if (value && out.has(address)) out.get(address).storage.set(BigInt(key), value);
  }
  return out;
}

export async function runReference(c, gasLimit) {
  const vm = await vmOf(c.fork);
  const state = new SimpleStateManager({ common: vm.common });
  vm.stateManager = vm.evm.stateManager = vm.evm.journal.stateManager = state;
  vm.evm.journal.cleanJournal();
  vm.evm.transientStorage.clear();
  if (kept.of !== c) {
    kept.of = c;
    kept.results.clear();
  }
  await fill(state, c.world);
  try {
    const tx = txOf(c, gasLimit, vm.common), block = blockOf(c, vm.common);
    const result = await runTx(vm, { tx, block, skipHardForkValidation: true });
    const { exceptionError, returnValue } = result.execResult;
    // A precompile that fails takes all gas and is no REVERT (EIP-196, EIP-197, EIP-2537), but the reference calls it
    // that. Gas, output and state are compared all the same.
    const reverts = exceptionError?.error === 'revert' && !vm.evm.precompiles.has(c.tx.to?.slice(2));
    const status = !exceptionError ? 'success' : reverts ? 'revert' : 'halt';
    return {
      rc: 'ok', status, why: exceptionError?.error, gas: result.totalGasSpent,
      block: c.fork.amsterdam ? { execution: result.txRegularGas, state: result.txStateGas } : undefined,
      output: status === 'halt' ? '0x' : hex(returnValue), // after a halt the reference's is not defined
      created: status === 'success' ? result.createdAddress?.toString() : undefined,
      logs: result.receipt.logs.map(([address, topics, data]) =>
        ({ address: hex(address), topics: topics.map(t => hex(t)), data: hex(data) })),
      state: dump(state),
    };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return { rc: 'refused', why: error.message.slice(0, 200) };
  }
}

// With a listener the reference copies stack and memory for each step, and reads what REVERT returns before that is
// paid for: up to 4 GiB, which take minutes, and above that it throws. Only the gas is listened to here; what is above
// 4 GiB still ends the listening, so that a seed's cases stay what they were.
const MOST_READ = 2 ** 32;

function checkRevert({ opCode, stack }) {
  if (opCode !== 0xfd) return;
  const [offset, length] = stack.peek(2);
  if (length && Number(offset) + Number(length) > MOST_READ) throw new RangeError('REVERT of more than can be read');
}

// The different amounts of gas spent before an instruction of the outermost frame. A run of its own: it may end early,
// and what came before that counts.
export async function traceReference(c, gasLimit) {
  const { evm } = await vmOf(c.fork), spent = new Set();
  const listener = () => {}, hook = Interpreter.prototype._runStepHook;
  Interpreter.prototype._runStepHook = async function (_, gasLeft) {
    checkRevert(this._runState);
    if (this._env.depth === 0) spent.add(gasLimit - gasLeft);
  };
  evm.events.on('step', listener); // without one there are no steps
  try {
    await runReference(c, gasLimit);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  } finally {
    evm.events.off('step', listener);
    Interpreter.prototype._runStepHook = hook;
  }
  return [...spent];
}

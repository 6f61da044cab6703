// The scripted chain's execution side: blocks of Osaka, then of Amsterdam, with a state of four contracts that changes
// a little with each, and what a JSON-RPC server says of them. Nothing is executed: the script says what is written.
import { MerklePatriciaTrie, createMerkleProof } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import { keccak256 } from "ethers";

export const hex = (bytes) => "0x" + Buffer.from(bytes).toString("hex");
export const unhex = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));
const keccak = (bytes) => unhex(keccak256(bytes));
const quantity = (n) => "0x" + BigInt(n).toString(16);
const fixed = (n, length = 32) => unhex("0x" + BigInt(n).toString(16).padStart(2 * length, "0"));
// Minimal big-endian, 0 as no bytes: an integer of RLP.
const scalar = (n) => (BigInt(n) === 0n ? new Uint8Array() : fixed(n, Math.ceil(BigInt(n).toString(16).length / 2)));

const EMPTY_TRIE = keccak(RLP.encode(new Uint8Array()));
const EMPTY_LIST = keccak(RLP.encode([]));
const NO_REQUESTS = unhex("0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
const address = (n) => unhex("0x" + "c0".repeat(19) + n.toString(16).padStart(2, "0"));

// Hand-made code. `read` gives back the slot that its calldata names.
const READ = "0x5f355460005260205ff3"; // SLOAD(CALLDATALOAD(0))
const NUMBER = "0x435f5260205ff3";
const SLOTNUM = "0x4b5f5260205ff3"; // EIP-7843: halts before Amsterdam
export const CONTRACTS = {
  still: { address: hex(address(1)), code: READ }, // nothing is ever written here
  busy: { address: hex(address(2)), code: READ }, // slot 0 is the block's number, slot 7 never changes
  rich: { address: hex(address(3)), code: NUMBER }, // its balance grows with each block
  slot: { address: hex(address(4)), code: SLOTNUM },
};
export const CONSTANTS = { still: { 3: 0x1234n }, busy: { 7: 0x77n } };

function header({ number, timestamp, parentHash, stateRoot, parentBeaconRoot, amsterdam, beyond }) {
  const fields = {
    ...{ parentHash, sha3Uncles: EMPTY_LIST, miner: address(9), stateRoot, transactionsRoot: EMPTY_TRIE },
    ...{ receiptsRoot: EMPTY_TRIE, logsBloom: new Uint8Array(256), difficulty: 0, number, gasLimit: 60000000 },
    ...{ gasUsed: 0, timestamp, extraData: Uint8Array.of(1, 2, 3), mixHash: keccak(fixed(number)) },
    ...{ nonce: new Uint8Array(8), baseFeePerGas: 7, withdrawalsRoot: EMPTY_TRIE, blobGasUsed: 0, excessBlobGas: 0 },
    ...{ parentBeaconBlockRoot: parentBeaconRoot, requestsHash: NO_REQUESTS },
  };
  if (amsterdam) Object.assign(fields, { blockAccessListHash: amsterdam.listHash, slotNumber: amsterdam.slot });
  if (beyond) Object.assign(fields, { inclusionListHash: keccak(fixed(number)) });
  return fields;
}

const encodeHeader = (fields) =>
  RLP.encode(Object.values(fields).map((x) => (x instanceof Uint8Array ? x : scalar(x))));
const headerJson = (fields) =>
  Object.fromEntries(Object.entries(fields).map(([k, x]) => [k, x instanceof Uint8Array ? hex(x) : quantity(x)]));

// EIP-7928: what one block writes, as its transaction 1 would have; in the order of addresses.
function accessList(writes) {
  const change = (value) => (value === undefined ? [] : [[scalar(1), scalar(value)]]);
  return Object.keys(writes)
    .sort()
    .map((at) => {
      const { storage = {}, balance } = writes[at];
      const slots = Object.entries(storage).map(([slot, value]) => [scalar(slot), change(value)]);
      return [unhex(at), slots, [], change(balance), [], []];
    });
}

const changesJson = (list, key) => list.map(([index, value]) => ({ index: number(index), [key]: number(value) }));
const number = (bytes) => quantity(bytes.length ? hex(bytes) : 0);
const word = (bytes) => "0x" + Buffer.from(bytes).toString("hex").padStart(64, "0");

const accessListJson = (list) =>
  list.map(([at, writes, reads, balances, nonces, codes]) => ({
    address: hex(at),
    storageChanges: writes.map(([slot, changes]) => ({
      key: word(slot),
      changes: changes.map(([index, value]) => ({ index: number(index), value: word(value) })),
    })),
    storageReads: reads.map(word),
    balanceChanges: changesJson(balances, "value"),
    nonceChanges: changesJson(nonces, "value"),
    codeChanges: codes.map(([index, code]) => ({ index: number(index), code: hex(code) })),
  }));

export class Execution {
  #tries = new Map(); // of storage, by address
  #state = new MerklePatriciaTrie({ useKeyHashing: true });
  #accounts = new Map(); // by address: nonce, balance, code
  blocks = []; // by number
  #byHash = new Map();

  // beyond: the first slot whose header has a field more.
  constructor({ beyond = Infinity } = {}) {
    this.beyond = beyond;
  }

  async start() {
    for (const [name, { address: at, code }] of Object.entries(CONTRACTS)) {
      this.#accounts.set(at, { nonce: 1, balance: 0n, code: unhex(code) });
      this.#tries.set(at, new MerklePatriciaTrie({ useKeyHashing: true }));
      await this.#write(at, { storage: CONSTANTS[name] ?? {} });
    }
    await this.add({ slot: 0, timestamp: 1, amsterdam: false, parentBeaconRoot: new Uint8Array(32) });
    return this;
  }

  async #write(at, { storage = {}, balance }) {
    const account = this.#accounts.get(at);
    const trie = this.#tries.get(at);
    for (const [slot, value] of Object.entries(storage)) await trie.put(fixed(slot), RLP.encode(scalar(value)));
    account.balance = balance ?? account.balance;
    account.storageRoot = trie.root();
    const row = [scalar(account.nonce), scalar(account.balance), trie.root(), keccak(account.code)];
    await this.#state.put(unhex(at), RLP.encode(row));
  }

  // The next block: the payload of a slot, built on the newest block.
  async add({ slot, timestamp, amsterdam, parentBeaconRoot }) {
    const count = this.blocks.length;
    const writes = {
      [CONTRACTS.busy.address]: { storage: { 0: BigInt(count + 1) } },
      [CONTRACTS.rich.address]: { balance: BigInt(1000 + count) },
    };
    for (const [at, write] of Object.entries(writes)) await this.#write(at, write);
    const list = accessList(writes);
    const rawList = RLP.encode(list);
    const fields = header({
      ...{ number: count, timestamp, parentBeaconRoot, stateRoot: this.#state.root() },
      parentHash: count ? unhex(this.blocks[count - 1].hash) : new Uint8Array(32),
      amsterdam: amsterdam && { listHash: keccak(rawList), slot },
      beyond: slot >= this.beyond,
    });
    const rlp = encodeHeader(fields);
    const roots = new Map([...this.#tries].map(([at, trie]) => [at, trie.root()]));
    const accounts = new Map([...this.#accounts].map(([at, a]) => [at, { ...a }]));
    const block = { number: count, slot, amsterdam, fields, rlp, list, rawList, roots, accounts };
    block.hash = hex(keccak(rlp));
    this.blocks.push(block);
    this.#byHash.set(block.hash, block);
    return block;
  }

  byHash(hash) {
    return this.#byHash.get(hash) ?? null;
  }

  json(block) {
    const rest = { size: "0x300", uncles: [], transactions: [], withdrawals: [] };
    return { ...headerJson(block.fields), hash: block.hash, ...rest };
  }

  accessList(block) {
    return accessListJson(block.list);
  }

  async #proof(block, at, slots) {
    const find = async (trie, root, key) => {
      const view = trie.shallowCopy(false);
      view.root(root);
      return { nodes: (await createMerkleProof(view, key)).map(hex), value: await view.get(key) };
    };
    const account = block.accounts.get(at);
    const { nodes } = await find(this.#state, block.fields.stateRoot, unhex(at));
    const storageProof = [];
    for (const slot of slots) {
      const key = fixed(slot);
      const found = account && (await find(this.#tries.get(at), block.roots.get(at), key));
      const value = found?.value ? quantity(hex(RLP.decode(found.value))) : "0x0";
      storageProof.push({ key: hex(key), value, proof: found?.nodes ?? [] });
    }
    return {
      ...{ address: at, accountProof: nodes, storageProof, nonce: quantity(account?.nonce ?? 0) },
      balance: quantity(account?.balance ?? 0),
      codeHash: hex(keccak(account?.code ?? new Uint8Array())),
      storageHash: hex(block.roots.get(at) ?? EMPTY_TRIE),
    };
  }

  // What a call touches: its target, and the slot that it names.
  #accessList({ to, data = "0x" }) {
    const storageKeys = data.length >= 66 ? [data.slice(0, 66)] : [];
    return { accessList: [{ address: to, storageKeys }], gasUsed: "0x5208" };
  }

  // By number, tag or hash; newest: the last block that is known by now.
  #find(what, newest) {
    const name = what?.blockHash ?? what; // EIP-1898
    if (name === "latest" || name === undefined) return this.blocks[newest];
    const block = name.length === 66 ? this.byHash(name) : this.blocks[Number(name)];
    return block && block.number <= newest ? block : null;
  }

  // The result of a method. newest: the number of the last block by now.
  async answer(method, params, newest) {
    const at = (i) => {
      const block = this.#find(params[i], newest);
      if (!block) throw Object.assign(new Error("unknown block"), { code: -32001 });
      return block;
    };
    switch (method) {
      case "eth_chainId":
        return "0x539";
      case "eth_blockNumber":
        return quantity(newest);
      case "eth_getBlockByHash":
      case "eth_getBlockByNumber": {
        const block = this.#find(params[0], newest);
        return block && this.json(block);
      }
      case "debug_getRawHeader":
        return hex(at(0).rlp);
      case "eth_getProof":
        return this.#proof(at(2), params[0].toLowerCase(), params[1]);
      case "eth_getCode":
        return hex(at(1).accounts.get(params[0].toLowerCase())?.code ?? new Uint8Array());
      case "eth_createAccessList":
        return at(1) && this.#accessList(params[0]);
      case "eth_getBlockAccessList":
      case "debug_getRawBlockAccessList": {
        const block = at(0);
        if (!block.amsterdam) throw Object.assign(new Error("no block access list before Amsterdam"), { code: -32001 });
        return method.startsWith("eth_") ? this.accessList(block) : hex(block.rawList);
      }
      default:
        throw Object.assign(new Error(`the method ${method} does not exist`), { code: -32601 });
    }
  }
}

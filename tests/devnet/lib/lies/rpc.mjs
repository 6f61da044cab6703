// Lies of an execution RPC. Each is [methods, what it does, how]: how(answer, request, x) changes one JSON-RPC answer that
// was honest so far. x.arg is the lie's parameter, x.ask(method, params) asks the honest client.
import { flip, isHex, plusOne, quantity, walk } from "./values.mjs";

const PROOF = "eth_getProof";
const CODE = "eth_getCode";
const BLOCK = ["eth_getBlockByNumber", "eth_getBlockByHash"];
const RECEIPTS = "eth_getBlockReceipts";
const LIST = "eth_createAccessList";
const ANY = "*";
const EMPTY_CODE = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
const EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

// Two contracts with code and storage that every chain of the devnet has: EIP-2935 and EIP-4788.
const CONTRACTS = ["0x0000f90827f1c53a10cb7a02335b175320002935", "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"];
const another = (address) => CONTRACTS.find((a) => a !== address.toLowerCase());

const member = (name, change) => (r) => {
  r.result[name] = change(r.result[name]);
};
const each = (change) => (r) => r.result.forEach(change);
const slots = (change) => (r) => r.result.storageProof.forEach(change);
const flipNode = (nodes, i) => {
  if (nodes.length) nodes[i] = flip(nodes[i], nodes[i].length >> 2);
};

async function heightOf(tag, x) {
  if (isHex(tag) && tag.length < 20) return Number(tag);
  const block = isHex(tag?.blockHash ?? tag)
    ? await x.ask("eth_getBlockByHash", [tag.blockHash ?? tag, false])
    : await x.ask("eth_getBlockByNumber", [tag ?? "latest", false]);
  return Number(block.number);
}
const earlier = async (tag, x, normally) => quantity((await heightOf(tag, x)) - Number(x.arg ?? normally));

export const rpc = {
  proof_flip_byte: [
    PROOF,
    "a bit flipped in an account proof node (arg: which, last)",
    (r, q, x) => {
      const nodes = r.result.accountProof;
      flipNode(nodes, Math.min(Number(x.arg ?? nodes.length - 1), nodes.length - 1));
    },
  ],
  proof_flip_root: [PROOF, "a bit flipped in the first account proof node", (r) => flipNode(r.result.accountProof, 0)],
  proof_drop_node: [PROOF, "last account proof node left out", (r) => r.result.accountProof.pop()],
  proof_extra_node: [
    PROOF,
    "a copy of the first node appended",
    (r) => r.result.accountProof.push(r.result.accountProof[0]),
  ],
  proof_reverse: [PROOF, "account proof nodes in reverse order", (r) => r.result.accountProof.reverse()],
  proof_empty: [PROOF, "no account proof nodes", member("accountProof", () => [])],
  proof_null: [PROOF, "accountProof is null", member("accountProof", () => null)],
  proof_huge_node: [
    PROOF,
    "a node of arg bytes (1 MiB)",
    (r, q, x) => r.result.accountProof.push("0x" + "c0".repeat(Number(x.arg ?? 1 << 20))),
  ],
  proof_many_nodes: [PROOF, "100000 proof nodes", member("accountProof", (p) => Array(100000).fill(p[0]))],
  proof_bad_hex: [
    PROOF,
    "odd-length and non-hex node strings",
    member("accountProof", ([first, ...rest]) => [first.slice(0, -1), ...rest, "0xzz"]),
  ],
  proof_other_account: [
    PROOF,
    "the account part is another account's valid proof (arg: whose), relabelled",
    async (r, q, x) => {
      const other = await x.ask(PROOF, [x.arg ?? another(q.params[0]), [], q.params[2]]);
      const { address, storageProof } = r.result;
      r.result = { ...other, address, storageProof };
    },
  ],
  proof_address_substituted: [
    PROOF,
    "the whole answer is another contract's valid proof of the same keys, under the requested address",
    async (r, q, x) => {
      const other = await x.ask(PROOF, [x.arg ?? another(q.params[0]), q.params[1], q.params[2]]);
      r.result = { ...other, address: r.result.address };
    },
  ],
  proof_address_named: [
    PROOF,
    "the whole answer is another contract's valid proof, under its own address",
    async (r, q, x) => {
      r.result = await x.ask(PROOF, [x.arg ?? another(q.params[0]), q.params[1], q.params[2]]);
    },
  ],
  proof_other_block: [
    PROOF,
    "a valid proof under an older root (arg blocks earlier, 4)",
    async (r, q, x) => {
      r.result = await x.ask(PROOF, [q.params[0], q.params[1], await earlier(q.params[2], x, 4)]);
    },
  ],
  proof_storage_older: [
    PROOF,
    "the account at the block, its storage proven under an older root (arg blocks earlier, 4)",
    async (r, q, x) => {
      const old = await x.ask(PROOF, [q.params[0], q.params[1], await earlier(q.params[2], x, 4)]);
      r.result.storageProof = old.storageProof;
    },
  ],
  claim_absent: [
    PROOF,
    "account fields say absent, the proof says present",
    (r) => Object.assign(r.result, { balance: "0x0", nonce: "0x0", codeHash: EMPTY_CODE, storageHash: EMPTY_TRIE }),
  ],
  balance_wrong: [PROOF, "balance plus one", member("balance", plusOne)],
  nonce_wrong: [PROOF, "nonce plus one", member("nonce", plusOne)],
  code_hash_wrong: [PROOF, "code hash changed", member("codeHash", flip)],
  storage_hash_wrong: [PROOF, "storage root changed", member("storageHash", flip)],
  address_wrong: [PROOF, "address field changed", member("address", flip)],
  storage_value_wrong: [PROOF, "every storage value plus one", slots((s) => (s.value = plusOne(s.value)))],
  storage_value_zero: [PROOF, "every storage value zero, proofs untouched", slots((s) => (s.value = "0x0"))],
  storage_flip_byte: [
    PROOF,
    "a bit flipped in every last storage proof node",
    slots((s) => flipNode(s.proof, s.proof.length - 1)),
  ],
  storage_empty: [PROOF, "storage proofs emptied, values kept", slots((s) => (s.proof = []))],
  storage_other_key: [
    PROOF,
    "every storage entry is the valid proof of the next key, relabelled",
    async (r, q, x) => {
      const next = q.params[1].map((k) => "0x" + ((BigInt(k) + 1n) % (1n << 256n)).toString(16).padStart(64, "0"));
      const other = await x.ask(PROOF, [q.params[0], next, q.params[2]]);
      r.result.storageProof = r.result.storageProof.map((s, i) => ({ ...other.storageProof[i], key: s.key }));
    },
  ],
  storage_keys_swapped: [
    PROOF,
    "first and last storage entries under each other's key",
    (r) => {
      const list = r.result.storageProof;
      if (list.length > 1) [list[0].key, list.at(-1).key] = [list.at(-1).key, list[0].key];
    },
  ],
  storage_missing: [PROOF, "last storage entry left out", (r) => r.result.storageProof.pop()],
  storage_reordered: [PROOF, "storage entries in reverse order, keys right", (r) => r.result.storageProof.reverse()],
  code_wrong: [CODE, "a bit flipped in the code", (r) => (r.result = flip(r.result, 10))],
  code_other: [
    CODE,
    "the code of another contract",
    async (r, q, x) => (r.result = await x.ask(CODE, [x.arg ?? another(q.params[0]), q.params[1]])),
  ],
  code_empty: [CODE, "no code", (r) => (r.result = "0x")],
  code_truncated: [CODE, "last byte missing", (r) => (r.result = r.result.slice(0, -2))],
  code_odd: [CODE, "odd number of digits", (r) => (r.result = r.result.slice(0, -1))],
  block_stale: [
    BLOCK,
    "the block arg heights earlier (3) under any request",
    async (r, q, x) => {
      const height = Number(r.result.number) - Number(x.arg ?? 3);
      r.result = await x.ask("eth_getBlockByNumber", [quantity(height), q.params[1]]);
    },
  ],
  block_relabelled: [
    BLOCK,
    "the block before, its number field says the requested height",
    async (r, q, x) => {
      const { number } = r.result;
      r.result = { ...(await x.ask("eth_getBlockByNumber", [quantity(Number(number) - 1), q.params[1]])), number };
    },
  ],
  block_hash_wrong: [BLOCK, "hash field changed", member("hash", flip)],
  block_parent_wrong: [BLOCK, "parent hash changed, hash kept", member("parentHash", flip)],
  block_state_root_wrong: [BLOCK, "state root changed, hash kept", member("stateRoot", flip)],
  block_number_wrong: [BLOCK, "number plus one", member("number", plusOne)],
  block_timestamp_wrong: [BLOCK, "timestamp plus one", member("timestamp", plusOne)],
  block_tx_dropped: [BLOCK, "last transaction missing", (r) => r.result.transactions.pop()],
  block_tx_changed: [
    BLOCK,
    "value of the last transaction changed",
    (r) => {
      const tx = r.result.transactions.at(-1);
      if (tx && typeof tx === "object") tx.value = plusOne(tx.value);
    },
  ],
  block_field_missing: [BLOCK, "stateRoot missing", (r) => delete r.result.stateRoot],
  block_null: [BLOCK, "null", (r) => (r.result = null)],
  number_future: ["eth_blockNumber", "a million ahead", (r) => (r.result = quantity(Number(r.result) + 1e6))],
  chain_id_wrong: ["eth_chainId", "another chain id", (r) => (r.result = plusOne(r.result))],
  receipts_drop: [RECEIPTS, "last receipt missing", (r) => r.result.pop()],
  receipts_reverse: [RECEIPTS, "receipts in reverse order", (r) => r.result.reverse()],
  receipt_status: [RECEIPTS, "status inverted", each((t) => (t.status = t.status === "0x1" ? "0x0" : "0x1"))],
  receipt_gas: [RECEIPTS, "cumulative gas plus one", each((t) => (t.cumulativeGasUsed = plusOne(t.cumulativeGasUsed)))],
  receipt_log_changed: [
    RECEIPTS,
    "first log's data changed",
    (r) => {
      const log = r.result.flatMap((t) => t.logs)[0];
      if (log) log.data = flip(log.data);
    },
  ],
  receipt_log_dropped: [RECEIPTS, "last log missing", (r) => r.result.findLast((t) => t.logs.length)?.logs.pop()],
  receipt_bloom: [RECEIPTS, "bloom bit flipped", each((t) => (t.logsBloom = flip(t.logsBloom)))],
  receipts_other_block: [
    RECEIPTS,
    "the receipts of an earlier block",
    async (r, q, x) => (r.result = await x.ask(RECEIPTS, [await earlier(q.params[0], x, 2)])),
  ],
  call_wrong: ["eth_call", "result changed", (r) => (r.result = flip(r.result))],
  access_list_empty: [LIST, "no entries", member("accessList", () => [])],
  access_list_wrong: [
    LIST,
    "entries for an unrelated account",
    member("accessList", () => [{ address: "0x" + "11".repeat(20), storageKeys: ["0x" + "22".repeat(32)] }]),
  ],
  access_list_huge: [
    LIST,
    "arg entries (100000)",
    (r, q, x) => {
      r.result.accessList = Array.from({ length: Number(x.arg ?? 1e5) }, (_, i) => ({
        address: "0x" + i.toString(16).padStart(40, "0"),
        storageKeys: ["0x" + i.toString(16).padStart(64, "0")],
      }));
    },
  ],
  logs_dropped: ["eth_getLogs", "last log missing", (r) => r.result.pop()],
  rpc_error: [ANY, "error -32000 (header not found)", failing(-32000, "header not found")],
  rpc_limit: [
    ANY,
    "error -32005 (limit exceeded)",
    failing(-32005, "daily request count exceeded, request rate limited"),
  ],
  rpc_unsupported: [ANY, "error -32601", failing(-32601, "the method does not exist/is not available")],
  rpc_null: [ANY, "result null", (r) => (r.result = null)],
  rpc_no_result: [ANY, "neither result nor error", (r) => [delete r.result, delete r.error]],
  rpc_both: [ANY, "result and error together", (r) => (r.error = { code: -1, message: "and an error" })],
  rpc_id_wrong: [ANY, "another id", (r) => (r.id = 424242)],
  rpc_version_wrong: [ANY, 'jsonrpc "1.0"', (r) => (r.jsonrpc = "1.0")],
  rpc_type_wrong: [ANY, "result is a number", (r) => (r.result = 12345)],
  quantity_padded: [
    ANY,
    "quantities with leading zeros",
    (r) => walk(r.result, (k, v) => (isHex(v) && v.length < 20 && v.length > 3 ? "0x00" + v.slice(2) : v)),
  ],
  hex_upper: [
    ANY,
    "hex digits in upper case",
    (r) => walk(r.result, (k, v) => (isHex(v) ? "0x" + v.slice(2).toUpperCase() : v)),
  ],
};

function failing(code, message) {
  return (r) => {
    delete r.result;
    r.error = { code, message };
  };
}

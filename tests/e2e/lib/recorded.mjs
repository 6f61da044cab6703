// An execution RPC that serves recorded, proven mainnet state (vectors/mainnet-calls): proofs, code, headers, and access
// lists made of what each recorded call is known to read. Its log has every request with its times.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

import { sleep } from "./node.mjs";

const LATENCY_MS = 5; // so that what is asked at the same time is seen to be
const EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
const word = (key) => "0x" + BigInt(key).toString(16).padStart(64, "0");
const number = (n) => Number(BigInt(n));
const refusal = (code, message) => Object.assign(new Error(message), { code });
const sameCall = (a, b) =>
  ["from", "to", "data", "value"].every(
    (k) => BigInt(`${a[k] ?? 0}` === "0x" ? 0 : (a[k] ?? 0)) === BigInt(`${b[k] ?? 0}` === "0x" ? 0 : (b[k] ?? 0)),
  );

export class Recorded {
  #accounts = new Map();
  #headers = new Map();
  #server;
  #asked = new Map(); // recorded call: the accounts that were asked for while it ran
  #running; // the recorded call whose access list was asked for last
  log = []; // {from, to, path, methods}
  lists = true; // whether eth_createAccessList is offered

  constructor(folder) {
    const read = (file) => JSON.parse(fs.readFileSync(path.join(folder, file)));
    const block = read("block.json");
    this.calls = read("calls.json").calls;
    for (const account of read("state.json").accounts) {
      const storage = new Map(account.storageProof.map((s) => [word(s.key), s]));
      this.#accounts.set(account.address.toLowerCase(), { ...account, storage });
    }
    for (const header of [block.parent, ...block.ancestors]) this.#headers.set(number(header.number), header);
  }

  async start(port) {
    this.url = `http://127.0.0.1:${port}`;
    this.#server = http.createServer((request, answer) => this.#serve(request, answer));
    await new Promise((resolve, reject) => this.#server.on("error", reject).listen(port, "127.0.0.1", resolve));
    return this;
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  async #serve(request, answer) {
    const entry = { from: performance.now(), path: request.url };
    this.log.push(entry);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks));
    entry.methods = [].concat(body).map((one) => one.method);
    const answers = [].concat(body).map((one) => this.#one(one));
    await sleep(LATENCY_MS);
    entry.to = performance.now();
    answer.writeHead(200, { "content-type": "application/json" });
    answer.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  #one({ id, method, params }) {
    try {
      return { jsonrpc: "2.0", id, result: this.#answer(method, params) };
    } catch (error) {
      if (error.code === undefined) throw error;
      return { jsonrpc: "2.0", id, error: { code: error.code, message: error.message } };
    }
  }

  #answer(method, params) {
    if (method === "eth_getProof") return this.#proof(...params);
    if (method === "eth_getCode") return this.#code(params[0]);
    if (method === "eth_createAccessList") this.#running = this.calls.find((one) => sameCall(one.call, params[0]));
    if (method === "eth_createAccessList" && this.lists) return this.#accessList(params[0], this.#running);
    if (method === "eth_getBlockByNumber") return this.#header(params[0]);
    if (method === "eth_createAccessList") throw refusal(-32000, "no access list of this call"); // the method stays worth asking for
    throw refusal(-32601, `the method ${method} does not exist`);
  }

  #account(address) {
    const account = this.#accounts.get(address.toLowerCase());
    if (account && this.#running) this.#asked.set(this.#running, [...(this.#asked.get(this.#running) ?? []), address.toLowerCase()]);
    if (!account) throw refusal(-32000, `the recording has no account ${address}`);
    return account;
  }

  // The recording also has the code of accounts that the block created.
  #code(address) {
    const { exists, code } = this.#account(address);
    return (exists && code) || "0x";
  }

  #proof(address, keys) {
    const { storage, exists, code, ...rest } = this.#account(address);
    const storageProof = keys.map((key) => {
      const slot =
        storage.get(word(key)) ?? (!exists || rest.storageHash === EMPTY_TRIE ? { value: "0x0", proof: [] } : null);
      if (!slot) throw refusal(-32000, `the recording has no slot ${key} of ${address}`);
      return { ...slot, key };
    });
    return { ...rest, storageProof };
  }

  // As geth's: without sender and recipient, unless they have slots. A recorded call does not name the accounts that it
  // touched just before it ran out of gas; a run without lists has shown them.
  #accessList(call, recorded) {
    if (!recorded) throw refusal(-32000, "the recording has no such call");
    const keys = new Map(
      [...recorded.accounts, ...this.#delegates(recorded), ...(this.#asked.get(recorded) ?? [])].map((address) => [address, []]),
    );
    for (const [address, key] of recorded.slots.map((slot) => slot.split("_"))) keys.get(address).push(key);
    const plain = [call.from, call.to].map((address) => address?.toLowerCase());
    const list = [...keys].filter(([address, slots]) => slots.length || !plain.includes(address));
    return {
      accessList: list.map(([address, storageKeys]) => ({ address, storageKeys })),
      gasUsed: recorded.expected.gas_used,
    };
  }

  // A recorded call does not name the accounts whose code it borrowed. They stand in a slot that it read, or in the code of
  // an account that it ran.
  #delegates({ ops, accounts, slots }) {
    if (!ops.some((op) => op === "DELEGATECALL" || op === "CALLCODE")) return [];
    const words = slots.map((slot) => {
      const [address, key] = slot.split("_");
      return this.#accounts.get(address)?.storage.get(word(key))?.value ?? "0x0";
    });
    const hay = [
      ...words.map((value) => word(value)),
      ...accounts.map((a) => this.#accounts.get(a)?.code ?? ""),
    ].join();
    return [...this.#accounts.keys()].filter((address) => hay.includes(address.slice(2)));
  }

  #header(tag) {
    const header = this.#headers.get(number(tag));
    if (!header) throw refusal(-32000, `the recording has no header ${tag}`);
    const known = Object.entries(header).filter(([, value]) => value !== null);
    return { transactions: [], uncles: [], ...Object.fromEntries(known) };
  }
}

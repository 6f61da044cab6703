// A scripted chain past the fork, live on the present clock: Fulu, then Gloas; Osaka, then Amsterdam. A slot without a
// block, one whose payload is withheld, a sync-committee period that ends. Each server on it can be told to lie.
import http from "node:http";
import { Beacon, PERIOD } from "./beacon.mjs";
import { Execution, hex } from "./execution.mjs";

const EPOCH = 8;
const ANCHORS = [8, 16, 24, 32, 40];

let nextOverlayPort = 4201; // of a node that nobody dials: setups that are tried need a free one

export class ScriptedChain {
  // startSlot: which slot it is now. missed: slots without a block; withheld: without a payload. beyond: from this slot
  // on headers have a field more than anybody knows.
  constructor({ startSlot, slotSeconds = 2, gloasEpoch = 7, missed = [], withheld = [], slots = 88, beyond = Infinity }) {
    const genesisTime = Math.floor(Date.now() / 1000) - startSlot * slotSeconds;
    Object.assign(this, { startSlot, slotSeconds, genesisTime, missed, withheld, slots, forkSlot: gloasEpoch * EPOCH });
    this.execution = new Execution({ beyond });
    this.beacon = new Beacon({ gloasEpoch, slotSeconds, genesisTime, execution: this.execution });
  }

  async make() {
    await this.execution.start();
    const live = Array.from({ length: this.slots - this.startSlot + 6 }, (_, i) => this.startSlot - 6 + i);
    for (const slot of [...ANCHORS, ...live.filter((slot) => slot > ANCHORS.at(-1) && !this.missed.includes(slot))]) {
      const finalized = slot === ANCHORS[0] ? undefined : Math.max(Math.floor(slot / EPOCH) * EPOCH - 16, ANCHORS[0]);
      await this.beacon.add(slot, { finalized, withheld: this.withheld.includes(slot) });
    }
    this.checkpoint = hex(this.beacon.blocks.get(ANCHORS[0]).root);
    return this;
  }

  slot() {
    return Math.floor((Date.now() / 1000 - this.genesisTime) / this.slotSeconds);
  }

  // The newest block that a block of this slot, or of an earlier one down to a floor, attests: {attested, signature}.
  signed(slot = this.slot(), floor = 0) {
    const { blocks } = this.beacon;
    for (let signature = slot; signature > floor; signature--)
      for (let attested = signature - 1; blocks.has(signature) && attested >= floor; attested--)
        if (blocks.has(attested)) return { attested, signature };
    return null;
  }

  // The execution block that a head at this slot proves.
  proven(slot) {
    const { proves } = this.beacon.blocks.get(slot);
    return this.execution.byHash(proves.hash);
  }

  // The number of the newest execution block.
  newest() {
    const slot = this.slot();
    return this.execution.blocks.findLast((block) => block.slot <= slot).number;
  }

  #cache = new Map();
  update({ attested, signature }, options) {
    const key = JSON.stringify([attested, signature, options]);
    if (!this.#cache.has(key)) this.#cache.set(key, this.beacon.update(attested, signature, options));
    return this.#cache.get(key);
  }

  // The best update of each period that was asked for.
  updates(start, count) {
    const list = [];
    for (let period = start; period < start + count; period++) {
      const last = Math.min(this.slot(), (period + 1) * PERIOD - 1);
      const found = last >= period * PERIOD && this.signed(last, period * PERIOD);
      if (found) list.push(this.update(found));
    }
    return list;
  }

  async serve(port) {
    return new Server(this, port).start();
  }

  setup({ execution, consensus, ...more }) {
    const urls = { execution_rpc: execution, consensus_rpc: consensus };
    return { peers: [], port: nextOverlayPort++, ...urls, network: this.beacon.network(), checkpoint: this.checkpoint, ...more };
  }
}

// One endpoint, beacon API and JSON-RPC, on loopback. lies: {light, updates, bootstrap, rpc, spec}, functions that spoil
// an answer.
class Server {
  #http;
  told = 0; // how often it has lied

  constructor(chain, port) {
    Object.assign(this, { chain, port, url: `http://127.0.0.1:${port}`, lies: {} });
  }

  start() {
    this.#http = http.createServer((request, response) => this.#serve(request, response));
    return new Promise((resolve) => this.#http.listen(this.port, "127.0.0.1", () => resolve(this)));
  }

  close() {
    this.#http.closeAllConnections();
    return new Promise((done) => this.#http.close(done));
  }

  // light, updates, bootstrap: what(answer, chain) for {kind, slot, form, version, value}; rpc: what(answer, request,
  // chain) for {result}.
  lie(layer, what) {
    this.lies = { [layer]: what };
    this.told = 0;
  }

  honest() {
    this.lies = {};
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method === "POST") return this.#rpc(JSON.parse(Buffer.concat(chunks)), response);
    const { pathname, searchParams } = new URL(request.url, this.url);
    const [, what] = pathname.match(/^\/eth\/v1\/(.*?)(\/0x[0-9a-f]{64})?$/) ?? [];
    const attested = () => this.#attested(this.chain.signed());
    if (what === "beacon/light_client/bootstrap") this.#light(response, "Bootstrap", this.#bootstrap());
    else if (what === "beacon/light_client/updates") this.#updates(response, searchParams);
    else if (what === "beacon/light_client/finality_update") this.#light(response, "FinalityUpdate", attested());
    else if (what === "beacon/light_client/optimistic_update") this.#light(response, "OptimisticUpdate", attested());
    else if (what === "config/spec") this.#spec(response);
    else response.writeHead(404).end();
  }

  #bootstrap() {
    return { value: this.chain.beacon.bootstrap(ANCHORS[0]), slot: ANCHORS[0] };
  }

  #attested(signed) {
    return { value: this.chain.update(signed), slot: signed.attested };
  }

  // Lies get a copy: {kind, slot, form, version, value}, to change as they like.
  #tampered(kind, { value, slot }) {
    const form = this.chain.beacon.forkOf(slot);
    const answer = { kind, slot, form, version: form, value };
    const lie = this.lies[{ Bootstrap: "bootstrap", Update: "updates" }[kind] ?? "light"];
    if (!lie) return answer;
    const type = this.chain.beacon.types(form)[kind === "Bootstrap" ? "LightClientBootstrap" : "LightClientUpdate"];
    answer.value = type.deserialize(type.serialize(value));
    if (lie(answer, this.chain) !== false) this.told++;
    return answer;
  }

  #light(response, kind, object) {
    const { form, version, value } = this.#tampered(kind, object);
    const bytes = this.chain.beacon.types(form)[`LightClient${kind}`].serialize(value);
    response.writeHead(200, { "content-type": "application/octet-stream", "eth-consensus-version": version });
    response.end(Buffer.from(bytes));
  }

  #updates(response, params) {
    const [start, count] = ["start_period", "count"].map((name) => Number(params.get(name)));
    const parts = this.chain.updates(start, Math.min(count, 4)).map((update) => {
      const { form, value } = this.#tampered("Update", { value: update, slot: update.attestedHeader.beacon.slot });
      const bytes = this.chain.beacon.types(form).LightClientUpdate.serialize(value);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length + 4));
      return Buffer.concat([length, this.chain.beacon.digest(form), bytes]);
    });
    response.writeHead(200, { "content-type": "application/octet-stream" });
    response.end(Buffer.concat(parts));
  }

  #spec(response) {
    const data = { ...this.chain.beacon.network().config };
    this.lies.spec?.(data);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data }));
  }

  async #answer({ id, method, params }) {
    const answer = { jsonrpc: "2.0", id };
    try {
      answer.result = await this.chain.execution.answer(method, params ?? [], this.chain.newest());
    } catch (error) {
      answer.error = { code: error.code ?? -32603, message: error.message };
    }
    if (this.lies.rpc && this.lies.rpc(answer, { method, params }, this.chain)) this.told++;
    return answer;
  }

  async #rpc(asked, response) {
    const answers = [];
    for (const one of [].concat(asked)) answers.push(await this.#answer(one));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(Array.isArray(asked) ? answers : answers[0]));
  }
}

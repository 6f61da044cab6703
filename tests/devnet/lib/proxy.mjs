// A middleman between a node and its upstreams: relays JSON-RPC (POST) to an execution client and GET /eth/* to a beacon API,
// keeps a log of every request with its times, and lies on demand (lies/*.mjs). It can also offer eth_createAccessList,
// which the devnet's execution client lacks. Listens on loopback only.
import http from "node:http";
import { accessList } from "./access-list.mjs";
import { transport } from "./lies/transport.mjs";
import { rpc } from "./lies/rpc.mjs";
import { beacon } from "./lies/beacon.mjs";

const LAYERS = { transport, rpc, beacon };
const LOG_MAX = 100000;

// Every lie: {name: {layer, on, what}}.
export const LIES = Object.fromEntries(
  Object.entries(LAYERS).flatMap(([layer, table]) =>
    Object.entries(table).map(([name, row]) => [
      name,
      { layer, on: layer === "transport" ? "*" : row[0], what: row.at(-2) },
    ]),
  ),
);

const keepAlive = new http.Agent({ keepAlive: true });

function ask(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: keepAlive }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const post = (url, body) => ask(url, { method: "POST", headers: { "content-type": "application/json" }, body });

// How many of these requests had to wait for another one to end: the longest chain of requests that do not overlap.
export function roundTrips(entries) {
  let count = 0;
  let busyUntil = -Infinity;
  for (const { from, to } of [...entries].sort((a, b) => (a.to ?? Infinity) - (b.to ?? Infinity))) {
    if (from < busyUntil) continue;
    count++;
    busyUntil = to ?? Infinity;
  }
  return count;
}

class Proxy {
  #options;
  #rules = [];
  #server;
  #memory = {};
  told = {}; // how often each lie was told
  log = []; // {from, to, label, size, status, lies}, times in ms

  constructor(options) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  // options.only: part of a method or path; count: how often (always); skip: let the first ones pass; arg: see the lie.
  lie(name, { only, arg, count = Infinity, skip = 0 } = {}) {
    if (!LIES[name]) throw new Error(`no such lie: ${name}`);
    this.#rules.push({ name, only, arg, count, skip });
  }

  honest() {
    this.#rules = [];
    this.#memory = {};
    this.told = {};
  }

  get lies() {
    return this.#rules.map((rule) => rule.name);
  }

  start() {
    this.#server = http.createServer((request, res) => this.#serve(request, res));
    return new Promise((resolve, reject) => {
      this.#server.on("error", reject);
      this.#server.listen(this.#options.port, "127.0.0.1", () => resolve(this));
    });
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  // The rules of a layer that fire for a method or path.
  #firing(layer, label) {
    return this.#rules.filter((rule) => {
      const { on } = LIES[rule.name];
      if (LIES[rule.name].layer !== layer || (rule.only && !label.includes(rule.only))) return false;
      if (layer === "rpc" && on !== "*" && ![].concat(on).includes(label)) return false;
      if (layer === "beacon" && !on.test(label)) return false;
      if (rule.skip-- > 0 || rule.count-- <= 0) return false;
      this.told[rule.name] = (this.told[rule.name] ?? 0) + 1;
      return true;
    });
  }

  async #serve(request, res) {
    const entry = { from: performance.now(), label: request.url, lies: [] };
    this.log.push(entry);
    if (this.log.length > LOG_MAX) this.log.shift();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const x = { res, entry, path: request.url, headers: {}, memory: this.#memory };
    try {
      if (request.method === "POST") await this.#relayRpc(x, Buffer.concat(chunks));
      else await this.#relayBeacon(x, request);
      await this.#finish(x);
    } catch (error) {
      entry.to = performance.now();
      entry.error = String(error);
      if (res.headersSent) return res.destroy();
      res.writeHead(502, { "content-type": "application/json" });
      res.end(JSON.stringify({ error: `upstream: ${error.message}` }));
    }
  }

  async #finish(x) {
    for (const rule of this.#firing("transport", x.entry.label)) {
      x.entry.lies.push(rule.name);
      x.arg = rule.arg;
      if ((await transport[rule.name][1](x)) === true) {
        x.entry.to = performance.now();
        return;
      }
    }
    // Requests that are sent side by side are then seen side by side, however quick the upstream is.
    if (this.#options.delayMs) await new Promise((done) => setTimeout(done, this.#options.delayMs));
    x.entry.status = x.status;
    x.entry.to = performance.now();
    x.res.writeHead(x.status, { ...x.headers, "content-type": x.type, "content-length": x.body.length });
    x.res.end(x.body);
  }

  async #relayRpc(x, body) {
    const asked = JSON.parse(body);
    const requests = [].concat(asked);
    x.entry.label = requests.map((r) => r.method).join(",");
    x.entry.requests = requests;
    const answer = await post(this.#options.rpc, body);
    Object.assign(x, {
      status: answer.status,
      type: answer.headers["content-type"] ?? "application/json",
      body: answer.body,
    });
    const lying = requests.some((r) => this.#rules.some(({ name }) => LIES[name].layer === "rpc"));
    const lists = this.#options.accessLists && requests.some((r) => r.method === "eth_createAccessList");
    if (!lying && !lists) return;
    const answered = JSON.parse(answer.body);
    for (const r of requests) {
      const one = Array.isArray(asked) ? answered.find((a) => a.id === r.id) : answered;
      if (!one) continue;
      if (lists && r.method === "eth_createAccessList") await this.#createAccessList(one, r);
      for (const rule of this.#firing("rpc", r.method)) await this.#tell(x, rule, one, r);
    }
    x.body = Buffer.from(JSON.stringify(answered));
  }

  async #tell(x, rule, answer, request) {
    const [on, , how] = rpc[rule.name];
    x.entry.lies.push(rule.name);
    if (on !== "*" && (answer.result === undefined || answer.result === null)) return;
    await how(answer, request, { arg: rule.arg, ask: (method, params) => this.#askRpc(method, params) });
  }

  async #askRpc(method, params) {
    const answer = await post(this.#options.rpc, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
    return JSON.parse(answer.body).result;
  }

  async #createAccessList(answer, request) {
    delete answer.error;
    answer.result = await accessList((method, params) => this.#askRpc(method, params), request.params);
  }

  async #relayBeacon(x, request) {
    const rules = this.#firing("beacon", x.path);
    // Lies about fields are told in JSON, whatever was asked for.
    const accept = rules.length ? "application/json" : request.headers.accept;
    const answer = await ask(this.#options.beacon + x.path, { headers: accept ? { accept } : {} });
    Object.assign(x, {
      status: answer.status,
      type: answer.headers["content-type"] ?? "application/json",
      body: answer.body,
    });
    const version = answer.headers["eth-consensus-version"];
    if (version) x.headers["eth-consensus-version"] = version;
    x.entry.lies.push(...rules.map((rule) => rule.name));
    if (!rules.length || (answer.status !== 200 && !rules.some((rule) => rule.name === "lc_other_chain"))) return;
    const parsed = JSON.parse(answer.body);
    const list = [].concat(parsed);
    for (const rule of rules) await beacon[rule.name][2](list, this.#beaconContext(x, rule));
    x.status = 200;
    x.body = Buffer.from(JSON.stringify(Array.isArray(parsed) ? list : list[0]));
  }

  #beaconContext(x, rule) {
    const from = (base) => async (path) => JSON.parse((await ask(base + path)).body);
    x.arg = rule.arg;
    x.get = from(this.#options.beacon);
    x.other = from(this.#options.otherBeacon);
    return x;
  }
}

// {port, rpc, beacon, otherBeacon, accessLists}: a running proxy.
export const startProxy = (options) => new Proxy(options).start();

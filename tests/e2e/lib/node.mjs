// One node: the program as a child process, and its HTTP API.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import assert from "node:assert";
import { conform } from "./conform.mjs";

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Waits until probe() gives something; its last error or refusal ends up in the message.
export async function until(what, limitMs, probe, everyMs = 100) {
  const end = Date.now() + limitMs;
  let last = "";
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = `: ${error.message}`;
    }
    assert(Date.now() < end, `${what}: not within ${limitMs / 1000} s${last}`);
    await sleep(everyMs);
  }
}

const agent = new http.Agent({ keepAlive: true });
const tlsAgent = new https.Agent({ keepAlive: true });

// One request: {status, headers, text}. ca: the certificate that an https URL must show; without one, any will do.
export function request(url, { method = "GET", body, headers = {}, timeoutMs = 60000, ca } = {}) {
  const tls = url.startsWith("https:");
  const options = { method, headers, agent: tls ? tlsAgent : agent, ...(tls && { ca, rejectUnauthorized: Boolean(ca) }) };
  return new Promise((resolve, reject) => {
    const r = (tls ? https : http).request(url, options, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    r.setTimeout(timeoutMs, () => r.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    r.on("error", reject);
    r.end(body);
  });
}

// The same of a node's API: its answer is as openapi.yaml describes it.
async function ask(url, options = {}) {
  const answer = await request(url, options);
  conform(url, options.method ?? "GET", answer);
  return answer;
}

// Runs a program whose standard error is a pipe that is full, and that nobody reads.
const STALLED = 'f=$1; shift; mkfifo "$f" && exec 2<>"$f"; dd if=/dev/zero of="$f" oflag=nonblock bs=4096 count=64 status=none 2>/dev/null; exec "$@"';

// Runs a program that finds another file as /etc/hosts.
const HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';

export class Node {
  #child = null;
  #exit = null;

  // env: what the program finds in its environment besides ours. options: of the command line; by default those of a
  // development node. stalled: nobody reads its standard error. hosts: a file that it finds as /etc/hosts (root only).
  constructor({ program, dir, setupPort, apiPort, env = {}, options = ["--development"], stalled = false, hosts }) {
    Object.assign(this, { program, dir, setupPort, apiPort, env, options, stalled, hosts });
    this.setupUrl = `http://127.0.0.1:${setupPort}/setup`;
    this.url = `http://127.0.0.1:${apiPort}`;
    this.log = path.join(dir, "log");
    fs.mkdirSync(dir, { recursive: true });
  }

  // Starts the program; returns when it answers, on the setup port too if it waits for a setup.
  async start() {
    const args = ["run", "--setup-port", String(this.setupPort), "--api-port", String(this.apiPort)];
    args.push("--state-dir", path.join(this.dir, "state"), "--tee", "simulator", "--log-level", "info", ...this.options);
    const log = fs.openSync(this.log, "a");
    let command = this.stalled ? ["bash", "-c", STALLED, "bash", path.join(this.dir, "stderr"), this.program] : [this.program];
    if (this.hosts) command = ["unshare", "--mount", "bash", "-c", HOSTS, "bash", this.hosts, ...command];
    const [program, ...first] = command;
    this.#child = spawn(program, [...first, ...args], { stdio: ["ignore", log, log], env: { ...process.env, ...this.env } });
    fs.closeSync(log);
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve({ error }));
      this.#child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    await until("the program answers", 10000, async () => {
      this.assertAlive();
      if ((await this.status()).state === "awaiting-setup") await request(this.setupUrl);
      return (await this.get("/healthz")).status === 200;
    });
    return this;
  }

  get pid() {
    return this.#child.pid;
  }

  assertAlive() {
    const { exitCode, signalCode } = this.#child;
    const tail = () => fs.readFileSync(this.log, "utf8").split("\n").slice(-40).join("\n");
    assert(exitCode === null && signalCode === null, `the node has ended: ${exitCode ?? signalCode}\n${tail()}`);
  }

  async setup(body) {
    const raw = typeof body === "string" || Buffer.isBuffer(body);
    const text = raw ? body : JSON.stringify(body);
    return ask(this.setupUrl, { method: "POST", body: text, headers: { "content-type": "application/json" } });
  }

  // Start, setup, ready.
  async begin(setup) {
    await this.start();
    const answer = await this.setup(setup);
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    if (setup.api_tls) this.url = this.url.replace("http:", "https:");
    await this.ready();
    return this;
  }

  async ready(limitMs = 60000) {
    await until("the node is ready", limitMs, async () => {
      this.assertAlive();
      const answer = await this.get("/readyz/block"); // tests' execution RPCs may be as bad as they like
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
      return true;
    });
  }

  get(route, options) {
    return ask(this.url + route, options);
  }

  async status() {
    const answer = await this.get("/v1/status");
    assert.strictEqual(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  }

  call(call, options) {
    const headers = { "content-type": "application/json" };
    return this.get("/call", { method: "POST", body: JSON.stringify(call), headers, ...options });
  }

  // Ends it as a supervisor would: {code, signal, ms}.
  async stop() {
    const began = Date.now();
    this.#child.kill("SIGTERM");
    const ended = await Promise.race([this.#exit, sleep(10000).then(() => null)]);
    if (!ended) this.#child.kill("SIGKILL");
    return { ...(ended ?? { signal: "SIGKILL" }), ms: Date.now() - began };
  }

  // Ends it without warning and waits until it is gone.
  async crash() {
    this.kill();
    await this.#exit;
  }

  kill() {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
  }
}

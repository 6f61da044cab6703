// What scenarios share: the program, a folder for everything temporary, one running chain, and the duty to clean up.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { startProxy } from "../../devnet/lib/proxy.mjs";
import { Chain } from "./chain.mjs";
import { Node } from "./node.mjs";

const PORTS = Number(process.env.E2E_PORTS ?? 19000); // everything here listens on ports from this one on
const CHAIN_PORTS = { shared: 0, capella: 10, other: 20 };

// Runs a command of the devnet; its output goes to a file, and into the error when it fails.
export function command(program, args, log) {
  return new Promise((resolve, reject) => {
    const output = fs.openSync(log, "a");
    const child = spawn(program, args, { stdio: ["ignore", output, output] });
    child.on("error", reject);
    child.on("exit", (code) => {
      fs.closeSync(output);
      if (code === 0) return resolve();
      const text = fs.readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n");
      reject(new Error(`${path.basename(program)} ended with ${code}:\n${text}`));
    });
  });
}

export class World {
  #chains = new Map();
  #nodes = new Set();
  #proxies = new Set();
  #nextPort = PORTS + 100;
  #closed = null;

  constructor({ root, build, quick, full }) {
    Object.assign(this, { root, build, quick, full });
    this.devnet = path.join(root, "tests", "devnet");
    this.vectors = process.env.KETTLE_VECTORS ?? path.join(root, "..", "shared", "vectors");
    this.tmp = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-e2e-"));
  }

  // The chain that most scenarios use: about three sync-committee periods old, with transactions going on.
  chain() {
    return this.#chain("shared", async (dir, base) => {
      const options = ["--history-slots", "150", "--participation", "0.9", "--seed", "e2e"];
      await command(path.join(this.devnet, "start"), ["--dir", dir, "--base-port", base, ...options], `${dir}.log`);
      await command(path.join(this.devnet, "workload"), ["--dir", dir], `${dir}.log`);
    });
  }

  // Lodestar 1.5.1, complete and unmodified.
  capella() {
    return this.#chain("capella", async (dir, base) => {
      await command(path.join(this.devnet, "start-capella"), ["--dir", dir, "--base-port", base], `${dir}.log`);
      await command(path.join(this.devnet, "workload"), ["--dir", dir], `${dir}.log`);
    });
  }

  // A chain with other keys, without transactions.
  otherChain() {
    return this.#chain("other", async (dir, base) => {
      const options = ["--history-slots", "60", "--seed", "other"];
      await command(path.join(this.devnet, "start"), ["--dir", dir, "--base-port", base, ...options], `${dir}.log`);
    });
  }

  #chain(name, start) {
    const dir = path.join(this.tmp, name);
    if (!this.#chains.has(name)) {
      const base = String(PORTS + CHAIN_PORTS[name]);
      this.#chains.set(name, { dir, ready: start(dir, base).then(() => new Chain(dir, this.devnet)) });
    }
    return this.#chains.get(name).ready;
  }

  // Packages of the devnet's further locks, installed while everything else goes on.
  packages(name) {
    return command(path.join(this.devnet, "packages"), [name], path.join(this.tmp, `packages-${name}.log`));
  }

  port() {
    return this.#nextPort++;
  }

  // A node that is not started yet. given: env and options of lib/node.mjs.
  node(name, given = {}) {
    const node = new Node({
      ...given,
      program: path.join(this.build, "kettle"),
      dir: path.join(this.tmp, `node-${name}-${this.#nextPort}`),
      setupPort: this.port(),
      apiPort: this.port(),
    });
    this.#nodes.add(node);
    return node;
  }

  async proxy(chain, options = {}) {
    const upstreams = { rpc: chain.executionUrl, beacon: chain.beaconUrl };
    const proxy = await startProxy({ port: this.port(), ...upstreams, ...options });
    this.#proxies.add(proxy);
    return proxy;
  }

  // Once, however often it is asked for: after a signal both the handler and the runner come here.
  close() {
    this.#closed ??= this.#cleanUp();
    return this.#closed;
  }

  async #cleanUp() {
    for (const node of this.#nodes) node.kill();
    for (const proxy of this.#proxies) await proxy.close().catch(() => {});
    for (const { dir, ready } of this.#chains.values()) {
      ready.catch(() => {});
      await command(path.join(this.devnet, "stop"), ["--dir", dir], `${dir}.log`).catch(() => {});
    }
    if (process.env.E2E_KEEP === "1") console.log(`kept: ${this.tmp}`);
    else fs.rmSync(this.tmp, { recursive: true, force: true });
  }
}

// A running devnet, and the truth about it: asked from its clients directly.
import fs from "node:fs";
import path from "node:path";
import { rpc } from "../../devnet/lib/rpc.mjs";

// null where the chain has no such file (a chain without a workload has no contracts).
const read = (dir, file) => {
  const name = path.join(dir, file);
  return fs.existsSync(name) ? JSON.parse(fs.readFileSync(name)) : null;
};
export const hex = (n) => "0x" + BigInt(n).toString(16);

let nextOverlayPort = Number(process.env.E2E_OVERLAY_PORTS ?? 4101); // of a node that nobody dials: setups that are tried need a free one

export class Chain {
  constructor(dir, devnet) {
    this.dir = dir;
    this.devnet = devnet;
    const summary = read(dir, "devnet.json");
    this.summary = summary;
    this.executionUrl = summary.execution_rpc;
    this.beaconUrl = summary.beacon_api;
    this.checkpoint = summary.trusted_checkpoint_root;
    this.slotSeconds = summary.slot_seconds;
    this.network = read(dir, "network.json");
    this.contracts = read(dir, "contracts.json");
  }

  ask(method, ...params) {
    return rpc(this.executionUrl, method, params);
  }

  async height() {
    return Number(await this.ask("eth_blockNumber"));
  }

  block(number) {
    return this.ask("eth_getBlockByNumber", hex(number), false);
  }

  // The execution client's own answer: {Success: "0x..."} or "Error", as the node would say it.
  async call(call, number) {
    try {
      return { Success: await this.ask("eth_call", call, hex(number)) };
    } catch (error) {
      if (error.code === undefined) throw error;
      return "Error";
    }
  }

  async beacon(path) {
    const answer = await fetch(this.beaconUrl + path);
    if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status });
    return (await answer.json()).data;
  }

  // The root of the oldest block whose bootstrap is served: several periods back.
  async oldCheckpoint() {
    for (let slot = 8; slot < this.summary.head.slot; slot += 8) {
      const root = await this.beacon(`/eth/v1/beacon/blocks/${slot}/root`).catch(() => null);
      if (!root) continue;
      const served = await this.beacon(`/eth/v1/beacon/light_client/bootstrap/${root.root}`).catch(() => null);
      if (served) return root.root;
    }
    throw new Error("no bootstrap is served");
  }

  // A setup for this chain through these upstreams (default: its own), at a port of its own. It is taken without a trial,
  // which upstreams that lie would not pass; force: undefined has it tried, as an operator's.
  setup({ execution = this.executionUrl, consensus = this.beaconUrl, checkpoint = this.checkpoint, ...more } = {}) {
    return {
      peers: [],
      port: nextOverlayPort++,
      execution_rpc: execution,
      consensus_rpc: consensus,
      network: this.network,
      checkpoint,
      force: true,
      ...more,
    };
  }

  async control(path) {
    const answer = await fetch(this.beaconUrl + path, { method: "POST" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  }
}

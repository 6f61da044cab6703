// Prints the summary of a running chain and keeps it in DIR/devnet.json, together with DIR/network.json: the object that
// describes this chain as a custom network in POST /setup. usage: summary.mjs BEACON_URL EXECUTION_URL DIR
import fs from "node:fs";
import { info } from "./info.mjs";

const [beacon, execution, dir] = process.argv.slice(2);
const get = async (path) => {
  const answer = await fetch(beacon + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return (await answer.json()).data;
};

async function chain() {
  for (let tries = 0; ; tries++) {
    try {
      return await info(beacon);
    } catch (error) {
      if (tries === 240) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

// The root of a finalized block whose bootstrap is being served.
async function checkpoint() {
  try {
    const finality = await get("/eth/v1/beacon/light_client/finality_update");
    const { root } = await get(`/eth/v1/beacon/blocks/${finality.finalized_header.beacon.slot}/root`);
    await get(`/eth/v1/beacon/light_client/bootstrap/${root}`);
    return root;
  } catch {
    return null;
  }
}

async function network() {
  const { config } = JSON.parse(fs.readFileSync(`${dir}/genesis.json`));
  const forks = {};
  for (const [key, time] of Object.entries(config)) {
    if (key.endsWith("Time")) forks[key.slice(0, -"Time".length)] = time;
  }
  const spec = await get("/eth/v1/config/spec");
  return {
    name: "devnet",
    preset: spec.PRESET_BASE ?? "minimal",
    config: spec,
    genesis: await get("/eth/v1/beacon/genesis"),
    execution: { chain_id: config.chainId, forks },
  };
}

const summary = {
  beacon_api: beacon,
  execution_rpc: execution,
  trusted_checkpoint_root: await checkpoint(),
  dir,
  ...(await chain()),
};
fs.writeFileSync(`${dir}/network.json`, JSON.stringify(await network(), null, 1) + "\n");
fs.writeFileSync(`${dir}/devnet.json`, JSON.stringify(summary, null, 1) + "\n");
console.log(JSON.stringify(summary, null, 1));

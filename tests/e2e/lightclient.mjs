// A node's light-client routes: another node of ours follows the chain by them alone, and Lodestar's API client reads them.
import assert from "node:assert";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";

const BASE = "/eth/v1/beacon/light_client";

// What Lodestar's own client makes of a node's answers, in the form that it is told to prefer.
async function readByLodestar(node, chain, wire) {
  process.env.LODESTAR_PRESET = "minimal"; // looked at when its packages are imported
  const { getClient } = await import("@lodestar/api");
  const { chainConfigFromJson, createBeaconConfig } = await import("@lodestar/config");
  const spec = await chain.beacon("/eth/v1/config/spec");
  const genesis = await chain.beacon("/eth/v1/beacon/genesis");
  const root = Buffer.from(genesis.genesis_validators_root.slice(2), "hex");
  const config = createBeaconConfig(chainConfigFromJson(spec), root);
  const { lightclient } = getClient({ baseUrl: node.url, globalInit: { responseWireFormat: wire } }, { config });
  const bootstrap = (await lightclient.getLightClientBootstrap({ blockRoot: chain.checkpoint })).value();
  const period = Math.floor(bootstrap.header.beacon.slot / 64);
  // In SSZ its client knows the fork digests of a genesis root of zeros alone, as its own servers send them; ours are the chain's.
  const updates = wire === "json" && (await lightclient.getLightClientUpdatesByRange({ startPeriod: period, count: 4 })).value();
  const finality = (await lightclient.getLightClientFinalityUpdate()).value();
  const optimistic = (await lightclient.getLightClientOptimisticUpdate()).value();
  assert(!updates || updates[0].attestedHeader.beacon.slot >= 64 * period);
  assert(finality.attestedHeader.beacon.slot >= bootstrap.header.beacon.slot);
  assert(optimistic.attestedHeader.beacon.slot >= finality.finalizedHeader.beacon.slot);
}

async function run(t) {
  const chain = await t.world.chain();
  const first = await t.world.node("lc-first").begin(chain.setup({ light_client_routes: true }));
  const key = (await first.status()).node_pubkey.replace("0x", "");
  await t.test("the routes: form, version, Kettle-Node; at most four updates", async () => {
    const given = (name) =>
      until(`the node has its first ${name}`, 60000, async () => {
        const answer = await first.get(`${BASE}/${name}`);
        return answer.status === 200 && answer;
      });
    const update = await given("optimistic_update");
    await given("finality_update");
    assert.deepStrictEqual([update.status, update.headers["kettle-node"], update.headers["eth-consensus-version"]], [200, key, "fulu"]);
    assert(Number(JSON.parse(update.text).data.attested_header.beacon.slot) > 0);
    const bootstrap = await first.get(`${BASE}/bootstrap/${chain.checkpoint}`);
    const theirs = await chain.beacon(`${BASE}/bootstrap/${chain.checkpoint}`); // with addresses in capitals, too
    assert.deepStrictEqual(JSON.parse(bootstrap.text).data, JSON.parse(JSON.stringify(theirs).toLowerCase()));
    const all = await first.get(`${BASE}/updates?start_period=0&count=128`);
    assert(all.status === 200 && JSON.parse(all.text).length <= 4);
    assert.strictEqual((await first.get(`${BASE}/bootstrap/0x${"00".repeat(32)}`)).status, 404);
  });
  await t.test("Lodestar's API client reads them, JSON and SSZ", async () => {
    for (const wire of ["json", "ssz"]) await readByLodestar(first, chain, wire);
  });
  await t.test("a second node follows with no other consensus source", async () => {
    const second = await t.world.node("lc-second").begin(chain.setup({ consensus: first.url, force: undefined }));
    const pubkey = await client.attest(second);
    const before = await client.block(second, pubkey);
    await until("its head moves on", 30000, async () => (await client.block(second, pubkey)) > before);
    const off = await second.get(`${BASE}/finality_update`);
    assert.deepStrictEqual([off.status, JSON.parse(off.text).code], [404, 404]); // it serves none itself
    await second.stop();
  });
  await first.stop();
}

export default { title: "light-client routes", run };

// The prototype's own lines, byte for byte, on a node whose measured configuration has a checkpoint quorum of five servers.
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import * as client from "../e2e/lib/client.mjs";
import { certificate, hosts, node as nodeAt, passOn, serve443, typed } from "./place.mjs";

const SETUP = `curl -X POST http://nodepublicaddress:40080/setup \\
     -H "Content-Type: application/json" \\
     -d '{"peers": [], "port": 5000, "execution_rpc": "https://mainnet.infura.io/v3/XX"}'`;
const BLOCK = "curl -X GET http://nodepublicaddress:3032/block";
const ATTEST = "curl -X GET http://nodepublicaddress:3032/attest";
const CALL = `curl -X POST -H "Content-Type: application/json" http://nodepublicaddress:3032/call -d '{
  "to": "0x6b175474e89094c44da98b954eedeac495271d0f",
  "input": "0x18160ddd"
}'`;
const PROVIDER = "mainnet.infura.io";
const SERVERS = ["a", "b", "c", "d", "e"].map((name) => `${name}.beacon.example`); // b lies, e is dead

// What each name answers: the provider, three honest servers, one that lies, one that is dead.
function play(chain) {
  const lies = ({ url }) =>
    url.endsWith("finality_checkpoints")
      ? [200, JSON.stringify({ data: { finalized: { epoch: "99999999", root: `0x${"13".repeat(32)}` } } })]
      : [200, JSON.stringify({ data: { root: `0x${"37".repeat(32)}` } })];
  return (host, question, body) => {
    const { method, url, headers } = question;
    if (host === PROVIDER) return url === "/v3/XX" ? passOn(chain.executionUrl, { method, url: "/", headers }, body) : [404, "{}"];
    if (host === SERVERS[1]) return lies(question);
    return host === SERVERS[4] ? null : passOn(chain.beaconUrl, question, body);
  };
}

const quiet = (line) => line.replace("curl ", "curl -q -sS "); // refusals are answers, too

async function run(t) {
  const chain = await t.world.chain();
  hosts(t, "nodepublicaddress", PROVIDER, ...SERVERS);
  await serve443(t, certificate(t, [PROVIDER, ...SERVERS]), play(chain));
  await t.test("a development node without a checkpoint refuses the line, with field, reason and command", async () => {
    const bare = await nodeAt(t, "bare", ["--development"]).start();
    const said = JSON.parse(await typed(quiet(SETUP)));
    await bare.stop();
    assert.deepStrictEqual([said.status, said.field], ["error", "checkpoint"]);
    assert.match(said.error, /weak subjectivity.*curl URL\/eth\/v1\/beacon\/headers\/finalized/);
    return said.error;
  });
  const config = path.join(t.world.tmp, "measured.json");
  fs.writeFileSync(config, JSON.stringify({
    development: true, network: chain.network, consensus_rpc: chain.beaconUrl,
    checkpoint: { quorum: 3, of: SERVERS.map((name) => `https://${name}`) }, setup_may_set: ["peers", "port", "execution_rpc"] }));
  const node = await nodeAt(t, "measured", ["--config", config]).start();
  await t.test("with a quorum of five servers, one lying and one dead, it is taken", async () => {
    assert.strictEqual((await typed(quiet(SETUP))).trim(), '{"status":"success"}');
  });
  await t.test("and the node gets to ready, from the root that three name", async () => {
    await node.ready();
    const { checkpoint_by, checkpoint_of } = await node.status();
    assert.deepStrictEqual([checkpoint_by, checkpoint_of], [[SERVERS[0], SERVERS[2], SERVERS[3]], 5]);
  });
  await t.test("its block, attest and call lines are answered in the prototype's form, signed", async () => {
    const { pubkey, quote } = JSON.parse(JSON.parse(await typed(quiet(ATTEST))));
    assert.match(pubkey, /^0[23][0-9a-f]{64}$/);
    assert.match(quote, /^0[45]00/);
    const block = JSON.parse(JSON.parse(await typed(quiet(BLOCK))));
    assert.match(block.blocknum, /^[0-9]+$/);
    client.response({ status: 200, text: await typed(quiet(CALL)) }, pubkey);
  });
  await node.stop();
}

export default { title: "the prototype's lines, byte for byte", run };

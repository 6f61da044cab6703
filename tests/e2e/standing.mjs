// Standing calls of a live node: one request upstream a head for all of them, signed, pushed, and still there after kill -9.
import assert from "node:assert";
import http from "node:http";
import { addressOfKey, statementDigest, verifyStatement } from "../../sdk/js/kettle-verify.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const COUNT = 100; // of which the execution client in JavaScript can prove the slots in a slot; tests/unit/test_vigil.c counts with 500
const slot = (n) => `0x70a08231${"0".repeat(24)}${n.toString(16).padStart(40, "0")}`; // balanceOf(n)

// What comes on a stream: {events, close}; each event {id, event, data, at}.
function listen(node, route, headers) {
  const events = [];
  let text = "";
  const request = http.get(`${node.url}${route}`, { headers }, (answer) => {
    if (answer.statusCode !== 200) events.push({ event: `status ${answer.statusCode}`, data: {}, at: performance.now() });
    answer.setEncoding("utf8").on("data", (more) => {
      const parts = (text + more).split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const event = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s, 2)));
        if (event.data) events.push({ ...event, data: JSON.parse(event.data), at: performance.now() });
      }
    });
    answer.on("error", () => {});
  });
  request.on("error", () => {});
  return { events, close: () => request.destroy() };
}

async function run(t) {
  const chain = await t.world.chain();
  const proxy = await t.world.proxy(chain, { accessLists: true });
  const node = await t.world.node("standing", { options: ["--development", "--simulator-seed", "standing"] }).begin(chain.setup({ execution: proxy.url, standing: { max: 4 * COUNT, gas_per_head: 1e9, open: true } }));
  const signer = addressOfKey(await client.attest(node));
  const { setup, chain_id: chainId } = await node.status();
  const contract = chain.contracts.addresses.token;
  const ids = [];
  let token;
  const headers = () => (token ? { authorization: `Bearer ${token}` } : {});
  const post = (call) => node.get("/v1/standing", { method: "POST", body: JSON.stringify({ call }), headers: { "content-type": "application/json", ...headers() } });
  await t.test(`${COUNT} calls of one owner are taken, and no more than a client's share`, async () => {
    for (let i = 0; i < COUNT; i++) {
      const answer = await post({ to: contract, data: slot(i + 1) });
      assert.strictEqual(answer.status, 200, answer.text);
      const said = JSON.parse(answer.text);
      token ??= said.token;
      ids.push(said.id);
      assert.strictEqual(said.survives_restart, true);
    }
    const over = await post({ to: contract, data: slot(COUNT + 1) });
    assert.deepStrictEqual([over.status, JSON.parse(over.text).type], [429, "urn:kettle:error:standing-share"]);
  });
  const stream = listen(node, "/v1/stream", headers());
  const numberOf = (head) => stream.events.filter(({ event, data }) => event === "statement" && data.head === head).length;
  const heads = () => [...new Set(stream.events.filter(({ event }) => event === "statement").map(({ data }) => data.head))];
  await t.test("at each head one request asks for all of them, and all are pushed within 300 ms of the first that it makes known", async () => {
    await until("five heads have all statements", 60000, () => heads().filter((head) => numberOf(head) === COUNT).length >= 5);
    const whole = heads().filter((head) => numberOf(head) === COUNT).slice(-3);
    const proofs = proxy.log.filter(({ label, from }) => /eth_getProof/.test(label) && from >= stream.events.find(({ data }) => data.head === whole[0]).at - 2000);
    const spans = whole.map((head) => {
      const times = stream.events.filter(({ data }) => data.head === head).map(({ at }) => at);
      return Math.max(...times) - Math.min(...times);
    });
    for (const { data } of stream.events.filter(({ data }) => data.head === whole[2]).slice(0, 20))
      verifyStatement(JSON.stringify(data.statement), { signer, chainId, setup, maxAge: 3600, request: { to: contract, data: data.statement.message.call.data } });
    assert(proofs.length >= whole.length && proofs.length <= whole.length + 2, `${proofs.length} requests for ${whole.length} heads`);
    return `pushed within ${spans.join(", ")} ms of the first; ${proofs.length} requests`;
  });
  await t.test("who polls gets the last good statement, and its evidence is there", async () => {
    const one = await node.get(`/v1/standing/${ids[0]}`);
    assert.strictEqual(one.status, 200, one.text);
    const { statement } = JSON.parse(one.text);
    const evidence = await node.get(`/v1/evidence/${statementDigest(statement)}`);
    assert.strictEqual(evidence.status, 200, evidence.text);
    assert.deepStrictEqual(JSON.parse(evidence.text).answer, statement);
  });
  const last = stream.events.at(-1);
  stream.close();
  await t.test("kill -9 and a restart keep them; who comes back is told of a gap", async () => {
    await node.crash();
    await node.start();
    await node.ready();
    const { standing } = await node.status();
    assert.deepStrictEqual([standing.calls, standing.survive_restart], [COUNT, true]);
    const again = listen(node, "/v1/stream", { ...headers(), "last-event-id": last.id });
    await until("a gap is told", 10000, () => again.events[0]?.event === "gap");
    await until("all are signed again", 30000, () => again.events.filter(({ event }) => event === "statement").length >= COUNT);
    again.close();
  });
  await t.test("a client that comes back misses nothing", async () => {
    const before = listen(node, `/v1/stream?ids=${ids[3]}`);
    await until("it has an event", 30000, () => before.events.some(({ event }) => event === "statement"));
    before.close();
    const had = before.events.at(-1);
    await sleep(5000);
    const after = listen(node, `/v1/stream?ids=${ids[3]}`, { "last-event-id": had.id });
    await until("it has more", 30000, () => after.events.length >= 2);
    after.close();
    assert(after.events.every(({ event }) => event === "statement"));
    const numbers = [had, ...after.events].map(({ data }) => data.head);
    assert.deepStrictEqual(numbers, numbers.map((_, i) => numbers[0] + i), numbers.join());
    return `heads ${numbers.join(", ")}`;
  });
  await t.test("only the token ends one", async () => {
    const end = (given) => node.get(`/v1/standing/${ids[0]}`, { method: "DELETE", headers: given });
    assert.strictEqual((await end({})).status, 401);
    assert.strictEqual((await end({ authorization: `Bearer 0x${"11".repeat(32)}` })).status, 404);
    assert.strictEqual((await end(headers())).status, 200);
    assert.strictEqual((await node.get(`/v1/standing/${ids[0]}`)).status, 404);
  });
  await node.stop();
}

export default { title: "standing calls: signed at each head, pushed, kept", run };

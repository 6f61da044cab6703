import assert from "node:assert";
import { AbiCoder, Interface } from "ethers";
import * as client from "./lib/client.mjs";
import { differential } from "./lib/differential.mjs";

const ABSENT = "0x00000000000000000000000000000000deadbeef";

// One request as it is sent; the parsed answer.
async function post(node, body, headers = { "content-type": "application/json" }) {
  const answer = await fetch(`${node.url}/rpc`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

async function ask(node, method, ...params) {
  const { status, text } = await post(node, { jsonrpc: "2.0", id: 1, method, params });
  assert.strictEqual(status, 200, text);
  return JSON.parse(text);
}

// The node's answer and the execution client's, about the block that both hold: asked again while the head moves.
async function both(node, chain, method, ...params) {
  for (let tries = 0; tries < 20; tries++) {
    const before = (await ask(node, "eth_blockNumber")).result;
    const mine = await ask(node, method, ...params, "latest");
    if ((await ask(node, "eth_blockNumber")).result !== before) continue;
    const theirs = await chain.ask(method, ...params, before).then(
      (result) => ({ result }),
      (error) => ({ error }),
    );
    return { mine, theirs };
  }
  throw new Error("the head moves during every request");
}

async function run(t) {
  const chain = await t.world.chain();
  const { addresses: a, abi } = chain.contracts;
  const node = t.world.node("rpc");
  await t.test("before setup every method says why, with status 200 and code -32002", async () => {
    await node.start();
    const { error } = await ask(node, "eth_chainId");
    assert.strictEqual(error.code, -32002);
    assert.match(error.message, /^awaiting-setup/);
    return error.message;
  });
  await node.setup(chain.setup());
  await node.ready();

  await t.test("eth_chainId is the execution client's", async () => {
    const { result } = await ask(node, "eth_chainId");
    assert.strictEqual(result, await chain.ask("eth_chainId"));
    return result;
  });
  await t.test("eth_blockNumber is the verified head, at most 2 behind the execution client's", async () => {
    const height = BigInt(await chain.ask("eth_blockNumber"));
    const mine = BigInt((await ask(node, "eth_blockNumber")).result);
    assert(height - mine <= 2n && mine <= BigInt(await chain.ask("eth_blockNumber")), `${mine} of ${height}`);
    return `${mine} of ${height}`;
  });
  for (const method of ["eth_getBalance", "eth_getTransactionCount"]) {
    await t.test(`${method} of accounts, a contract, and nobody, as the execution client says`, async () => {
      for (const address of [...a.accounts.slice(0, 3), a.token, ABSENT]) {
        const { mine, theirs } = await both(node, chain, method, address);
        assert.deepStrictEqual([mine.error, mine.result], [undefined, theirs.result], address);
      }
    });
  }
  await t.test("eth_call gives the execution client's bytes", async () => {
    const token = new Interface(abi.Token);
    const probe = new Interface(abi.Probe);
    const calls = [
      { to: a.token, data: token.encodeFunctionData("totalSupply") },
      { to: a.token, input: token.encodeFunctionData("balanceOf", [a.accounts[0]]), chainId: await chain.ask("eth_chainId") },
      { to: a.probe, data: probe.encodeFunctionData("slots") },
      { to: ABSENT, data: "0x01" },
      { data: "0x602a5f5260205ff3" },
    ];
    for (const call of calls) {
      const { mine, theirs } = await both(node, chain, "eth_call", call);
      assert.deepStrictEqual([mine.error, mine.result], [undefined, theirs.result], JSON.stringify(call));
    }
    return `${calls.length} calls`;
  });
  await t.test("a revert has code 3, its reason and its data, as viem and ethers want them", async () => {
    const data = "0x" + "08c379a0" + AbiCoder.defaultAbiCoder().encode(["string"], ["no such thing"]).slice(2);
    const code = "0x" + "60" + ((data.length - 2) / 2).toString(16).padStart(2, "0") + "600a5f3960" + ((data.length - 2) / 2).toString(16).padStart(2, "0") + "5ffd";
    const { error } = await ask(node, "eth_call", { data: code + data.slice(2) });
    assert.deepStrictEqual(error, { code: 3, message: "execution reverted: no such thing", data });
  });
  await t.test("a batch is answered in order, each call by itself; ids come back as they are", async () => {
    const batch = [
      { jsonrpc: "2.0", id: "b9b0-4f", method: "eth_chainId" },
      { jsonrpc: "2.0", id: 7, method: "eth_getBalance", params: [a.accounts[0], "latest"] },
      { jsonrpc: "2.0", method: "eth_blockNumber" },
      { jsonrpc: "2.0", id: 8, method: "eth_foo", params: [] },
      { jsonrpc: "2.0", id: 9, method: "eth_getBalance", params: ["0x1"] },
    ];
    const answers = JSON.parse((await post(node, batch)).text);
    assert.deepStrictEqual(answers.map((one) => one.id), ["b9b0-4f", 7, 8, 9]);
    assert.match(answers[2].error.message, /the method .* does not exist/i); // what ethers looks for
    assert.strictEqual(answers[3].error.code, -32602);
  });
  await t.test("framing: notifications get an empty body, broken JSON a parse error, other types 415, pages CORS", async () => {
    assert.deepStrictEqual([(await post(node, { jsonrpc: "2.0", method: "eth_chainId" })).text], [""]);
    assert.strictEqual(JSON.parse((await post(node, "{")).text).error.code, -32700);
    assert.strictEqual((await post(node, "{}", { "content-type": "text/plain" })).status, 415);
    const { headers } = await post(node, { jsonrpc: "2.0", id: 1, method: "eth_chainId" });
    assert.strictEqual(headers.get("access-control-allow-origin"), "*");
  });
  await t.test("state methods give the execution client's answers: code, slots, several slots, proofs", async () => {
    const word = `0x${"00".repeat(32)}`;
    const questions = [
      ["eth_getCode", a.token],
      ["eth_getCode", ABSENT],
      ["eth_getStorageAt", a.token, "0x2"],
      ["eth_getProof", a.token, ["0x2", word]],
      ["eth_getProof", ABSENT, []],
    ];
    for (const [method, ...params] of questions) {
      const { mine, theirs } = await both(node, chain, method, ...params);
      assert.deepStrictEqual([mine.error, proof(mine.result)], [undefined, proof(theirs.result)], `${method} ${params[0]}`);
    }
    const values = await ask(node, "eth_getStorageValues", { [a.token]: [word, word] });
    assert.strictEqual(values.result[a.token.toLowerCase()].length, 2);
  });
  await t.test("a long answer comes as gzip to those who take it", async () => {
    const body = { jsonrpc: "2.0", id: 1, method: "eth_getCode", params: [a.token] };
    const plain = await post(node, body, { "content-type": "application/json", "accept-encoding": "identity" });
    const gzip = await post(node, body, { "content-type": "application/json", "accept-encoding": "gzip" });
    assert.strictEqual(gzip.headers.get("content-encoding"), "gzip");
    assert.strictEqual(plain.headers.get("content-encoding"), null);
    assert.strictEqual(gzip.text, plain.text);
  });
  await differential(t, node, chain);
  await t.test("GET /v1/methods lists them", async () => `${(await methods(node)).join(", ")}`);
  await client.attest(node); // the prototype's routes go on beside it
  await node.stop();
}

// A proof without what servers write differently about the same thing: names of slots, hashes of an absent account.
function proof(result) {
  if (!result?.accountProof) return result;
  const { codeHash, storageHash, storageProof, ...rest } = result;
  const hashes = BigInt(result.nonce) + BigInt(result.balance) + BigInt(storageProof.length) ? [codeHash, storageHash] : [];
  return { ...rest, hashes, storageProof: storageProof.map((slot) => ({ ...slot, key: BigInt(slot.key) })) };
}

const methods = async (node) => JSON.parse((await node.get("/v1/methods")).text).map((row) => row.name);

export default { title: "POST /rpc beside the execution client's own answers", run };

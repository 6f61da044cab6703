import assert from "node:assert";
import { execFile } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { Interface } from "ethers";
import { verifyEvidence } from "../../sdk/js/kettle-evidence.mjs";
import { KettleError, addressOfKey, statementDigest, verifyStatement } from "../../sdk/js/kettle-verify.mjs";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";
import { command } from "./lib/world.mjs";

const NOBODY = "0x00000000000000000000000000000000deadbeef";
const ZERO = `0x${"00".repeat(32)}`;
const [LATEST, SAFE, FINALIZED, BY_NUMBER] = [0, 1, 2, 3];
const refusal = (code) => (error) => error instanceof KettleError && error.code === code;
const seconds = () => Math.floor(Date.now() / 1000);

// Runs a verifier with a text as its input: {status, out}.
function check(program, args, input) {
  return new Promise((resolve) => {
    const child = execFile(program, args, (error, out, err) => resolve({ status: error ? error.code : 0, out: out + err }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

// What everybody checks with: the accepted key, its setup, the chain.
class Judge {
  constructor(t, node, pubkey, setup, chainId) {
    Object.assign(this, { t, node, setup, chainId, signer: addressOfKey(pubkey) });
    this.python = path.join(t.world.root, "sdk/python/kettle_verify.py");
    Object.assign(this, { replays: true, replayed: 0 }); // of all in the long run, else of one of each kind
  }

  // The same demands in three languages.
  async holds(text, { request, maxAge = 3600, ...more }) {
    const said = verifyStatement(text, { signer: this.signer, chainId: this.chainId, setup: this.setup, maxAge, ...(request && { request }), ...more });
    const args = ["--signer", this.signer, "--chain-id", String(this.chainId), "--max-age", String(maxAge)];
    if (request) args.push("--request", JSON.stringify(request));
    if (more.allowRevert) args.push("--allow-revert");
    const python = await check("python3", [this.python, "-", ...args, "--setup", this.setup], text);
    assert.strictEqual(python.status, 0, python.out);
    assert.deepStrictEqual(JSON.parse(python.out), said);
    const program = await check(this.node.program, ["verify", "--statement", "-", "--json", ...args, "--setup-hash", this.setup], text);
    assert.strictEqual(program.status, 0, program.out);
    assert.deepStrictEqual(JSON.parse(program.out).statement, JSON.parse(text));
    return said.message;
  }

  // The evidence of an answer, replayed without the node; gives what the program said.
  async replay(evidence, checkpoint = this.checkpoint) {
    const args = ["--evidence", "-", "--checkpoint", checkpoint, "--network", this.network, "--signer", this.signer, "--setup-hash", this.setup, "--allow-revert"];
    return check(this.node.program, ["verify", ...args], evidence);
  }

  // An answer follows from its evidence.
  async follows(route, said) {
    const evidence = await this.node.get(`/v1/evidence/${statementDigest(said.statement ?? said)}`);
    assert.strictEqual(evidence.status, 200, `evidence of ${route}: ${evidence.text}`);
    assert.deepStrictEqual(JSON.parse(evidence.text).answer, said);
    const { status, out } = await this.replay(evidence.text);
    assert.strictEqual(status, 0, `evidence of ${route}: ${out}`);
    this.replayInScript(evidence.text, said.statement ?? said);
    this.replayed++;
  }

  // The same without an EVM: of a call all but what it returns, which is refused unless the caller says so.
  replayInScript(evidence, { type, message }) {
    const [isCall, network] = [type === "CallStatement", fs.readFileSync(this.network, "utf8")];
    const demands = { checkpoint: this.checkpoint, network, signer: this.signer, setup: this.setup };
    const found = verifyEvidence(evidence, isCall ? { ...demands, execution: "unchecked" } : demands);
    assert.deepStrictEqual([found.type, found.message, found.executed], [type, message, !isCall]);
    if (isCall) assert.throws(() => verifyEvidence(evidence, demands), refusal("needs-evm"));
  }

  async ask(route, demands = {}, options = {}) {
    const answer = await this.node.get(route, options);
    assert.strictEqual(answer.status, 200, `${route}: ${answer.status} ${answer.text}`);
    if (this.replays) await this.follows(route, JSON.parse(answer.text));
    return { text: answer.text, message: await this.holds(answer.text, demands), result: JSON.parse(answer.text).result };
  }

  call(call, demands = {}, block) {
    const body = JSON.stringify(block === undefined ? call : { ...call, block });
    return this.ask("/v1/call", { request: call, ...demands }, { method: "POST", body });
  }
}

const quantity = (text) => "0x" + BigInt(text).toString(16);

async function routes(t, chain, judge) {
  const { addresses: a, abi } = chain.contracts;
  const token = new Interface(abi.Token);
  const supply = { to: a.token, data: token.encodeFunctionData("totalSupply") };
  await t.test("a call: signed in C, verified in JavaScript, Python and C, and true", async () => {
    const { message } = await judge.call(supply);
    assert.strictEqual(message.status, 1);
    assert.strictEqual(message.result, await chain.ask("eth_call", supply, quantity(message.at.number)));
    const block = await chain.block(message.at.number);
    assert.deepStrictEqual([message.at.hash, message.at.stateRoot, quantity(message.at.timestamp)], [block.hash, block.stateRoot, block.timestamp]);
    assert(message.at.signers >= (2 / 3) * 32, `${message.at.signers} signers`);
    return `block ${message.at.number}, ${message.at.signers} signers`;
  });
  await t.test("a revert keeps its data; a halt is one; both are refused unless asked for", async () => {
    const probe = new Interface(abi.Probe);
    const revert = { to: a.token, data: token.encodeFunctionData("burn", [1n << 200n]) };
    const reverted = await judge.call(revert, { allowRevert: true });
    assert.deepStrictEqual([reverted.message.status, reverted.message.result.slice(0, 10)], [0, "0x08c379a0"]);
    const halt = { to: a.probe, data: probe.encodeFunctionData("fail", [3n]), gas: 100000 };
    const halted = await judge.call(halt, { allowRevert: true });
    assert.deepStrictEqual([halted.message.status, halted.message.result], [2, "0x"]);
    const demands = { signer: judge.signer, chainId: judge.chainId, request: null, maxAge: null };
    assert.throws(() => verifyStatement(reverted.text, demands), refusal("reverted"));
    assert.throws(() => verifyStatement(halted.text, demands), refusal("halted"));
  });
  await t.test("a call under state and block overrides runs under them, and the statement binds them", async () => {
    const state = { [a.token]: { balance: "0x1", code: "0x436000524760205260406000f3" } }; // NUMBER, SELFBALANCE
    const overrides = { stateOverride: state, blockOverride: { number: "0x4d" } };
    const { message, text } = await judge.call({ to: a.token, ...overrides });
    assert.deepStrictEqual([message.result.slice(0, 66), `0x${message.result.slice(66)}`].map(BigInt), [0x4dn, 1n]);
    const demands = { signer: judge.signer, chainId: judge.chainId, request: { to: a.token, stateOverride: state }, maxAge: null };
    assert.throws(() => verifyStatement(text, demands), refusal("wrong-request"));
  });
  await t.test("blocks by tag, number and hash; their finality; how long each is to be relied upon", async () => {
    const { message: final } = await judge.ask("/v1/block/finalized");
    const { message: safe } = await judge.ask("/v1/block/safe");
    assert.deepStrictEqual([final.at.finality, safe.at.finality], [2, 2]);
    const { message: latest } = await judge.ask("/v1/block/latest");
    assert.strictEqual(latest.at.finality, 0);
    const { message: named } = await judge.ask(`/v1/block/${final.at.hash}`);
    const windows = [latest, final, named].map((m) => m.validUntil - m.issuedAt);
    assert.deepStrictEqual(windows, [120, 1800, 86400]);
    assert.strictEqual((await judge.ask(`/v1/block/${named.at.number}`)).text, (await judge.ask(`/v1/block/${named.at.hash}`)).text);
    assert.strictEqual(named.at.hash, (await chain.block(named.at.number)).hash);
    return `finalized ${final.at.number}, latest ${latest.at.number}`;
  });
  await t.test("accounts and slots, also where there is nothing, as the execution client proves them", async () => {
    for (const account of [a.accounts[0].toLowerCase(), a.token.toLowerCase(), NOBODY]) {
      const { message: m } = await judge.ask(`/v1/account/${account}`, { request: { account } });
      const proof = await chain.ask("eth_getProof", account, [ZERO], quantity(m.at.number));
      const { message: s } = await judge.ask(`/v1/storage/${account}/0x2?block=${m.at.number}`, { request: { account, slot: ZERO.slice(0, -1) + "2" } });
      assert.strictEqual(BigInt(s.value), BigInt(await chain.ask("eth_getStorageAt", account, "0x2", quantity(m.at.number))));
      assert.deepStrictEqual([quantity(m.balance), quantity(m.nonce)], [proof.balance, proof.nonce]);
      if (account !== NOBODY) assert.deepStrictEqual([m.codeHash, m.storageRoot], [proof.codeHash, proof.storageHash]);
      else assert.deepStrictEqual([m.codeHash, m.storageRoot], [ZERO, ZERO]);
    }
  });
  await t.test("logs of a range are what the execution client has, and the statement binds them, range and filter", async () => {
    const [final, newest] = await until("a final block has a log", 120000, async () => {
      const { message } = await judge.ask("/v1/block/finalized");
      const logs = await chain.ask("eth_getLogs", { fromBlock: "0x1", toBlock: quantity(message.at.number), address: a.token });
      return logs.length > 0 && [message, Number(logs.at(-1).blockNumber)];
    });
    const end = Number(final.at.number), fromBlock = Math.max(1, newest - 60);
    const range = { fromBlock: quantity(fromBlock), toBlock: quantity(end) };
    const of = (request, toBlock) => ["/v1/logs", { request }, { method: "POST", body: JSON.stringify({ ...request, toBlock }) }];
    const request = { fromBlock, address: a.token };
    const { message, result, text } = await judge.ask(...of(request, "finalized"));
    assert.deepStrictEqual([message.to.number, message.to.finality, message.complete], [String(message.to.number), 2, true]);
    const truth = await chain.ask("eth_getLogs", { ...range, toBlock: quantity(message.to.number), address: a.token });
    assert(truth.length > 0 && result.length === truth.length && message.count === truth.length, `${result.length} of ${truth.length} logs`);
    assert.deepStrictEqual(result.map((l) => [l.transactionHash, l.logIndex, l.data]), truth.map((l) => [l.transactionHash, l.logIndex, l.data]));
    const topics = [null, [truth[0].topics[1]]];
    const some = await judge.ask(...of({ fromBlock, topics }, end));
    assert(some.result.length > 0 && some.result.every((l) => l.topics[1] === topics[1][0]));
    const none = await judge.ask(...of({ fromBlock: end, address: NOBODY }, final.at.hash));
    assert.deepStrictEqual([none.message.count, none.result], [0, []]);
    const good = { signer: judge.signer, chainId: judge.chainId, request, maxAge: null };
    const short = JSON.stringify({ ...JSON.parse(text), result: result.slice(1) });
    assert.throws(() => verifyStatement(short, good), refusal("wrong-result"));
    assert.throws(() => verifyStatement(text, { ...good, request: { fromBlock: fromBlock + 1, address: a.token } }), refusal("wrong-request"));
    const [{ transactionHash }] = truth;
    const asked = { method: "eth_getTransactionReceipt", params: [transactionHash] };
    const receipt = await judge.ask(`/v1/receipt/${transactionHash}`, { request: asked });
    const said = await chain.ask(asked.method, transactionHash);
    for (const name of ["blockHash", "transactionIndex", "gasUsed", "status", "logsBloom"]) assert.strictEqual(receipt.result[name], said[name], name);
    assert.deepStrictEqual([receipt.message.at.hash, receipt.message.at.finality], [said.blockHash, 2]);
    const unknown = await judge.node.get(`/v1/receipt/${ZERO}`);
    assert.deepStrictEqual([unknown.status, client.problem(unknown).type], [404, "urn:kettle:error:unknown-transaction"]);
    return `${message.count} logs of ${end - fromBlock + 1} blocks`;
  });
  await t.test("the checkpoint is the root of a finalized beacon block", async () => {
    const { message } = await judge.ask("/v1/checkpoint");
    assert.strictEqual(message.root, (await chain.beacon(`/eth/v1/beacon/blocks/${message.slot}/root`)).root);
    return message.root;
  });
  return supply;
}

async function sameAndReplayed(t, judge, supply) {
  const first = await judge.call(supply);
  await t.test("the same request on the same block has the same bytes, also once the head has moved", async () => {
    const { number } = first.message.at;
    const [one, two] = [await judge.call(supply, {}, Number(number)), await judge.call({ ...supply }, {}, quantity(number))];
    assert.strictEqual(one.text, two.text);
    await until("the head moves", 60000, async () => (await judge.ask("/v1/block/latest")).message.at.number !== number);
    assert.strictEqual((await judge.call(supply, {}, number)).text, one.text);
    return `block ${number}`;
  });
  await t.test("a replay for another chain, setup, block, request, key or later time is refused", async () => {
    const good = { signer: judge.signer, chainId: judge.chainId, setup: judge.setup, request: supply, maxAge: 3600 };
    verifyStatement(first.text, good);
    const replays = {
      "wrong-chain": { chainId: 1 },
      "wrong-setup": { setup: ZERO },
      "wrong-block": { block: Number(first.message.at.number) + 1 },
      "block-too-low": { minBlock: Number(first.message.at.number) + 1 },
      "wrong-request": { request: { ...supply, data: "0x313ce567" } },
      "wrong-signer": { signer: `0x${"12".repeat(20)}` },
      expired: { now: seconds() + 600, maxAge: null },
      "too-old": { now: Number(first.message.at.timestamp) + 61, maxAge: 60 },
    };
    for (const [code, changed] of Object.entries(replays)) assert.throws(() => verifyStatement(first.text, { ...good, ...changed }), refusal(code), code);
    return Object.keys(replays).join(", ");
  });
  await t.test("what is not held or not supported is a problem that names the field", async () => {
    const problems = [
      ["/v1/block/100000000", 404, /^block: /],
      ["/v1/block/pending", 400, /^block: /],
      [`/v1/account/${NOBODY}?at=1`, 400, /^query: /],
      ["/v1/call", 400, /^stateOverrides: /, { ...supply, stateOverrides: {} }],
      ["/v1/call", 400, /^blockOverride.slot: /, { ...supply, blockOverride: { slot: "0x1" } }],
      ["/v1/call", 400, /^gasPrice: /, { ...supply, gasPrice: "0x1" }],
      ["/v1/call", 404, /^block: /, { ...supply, block: 100000000 }],
    ];
    for (const [route, status, detail, body] of problems) {
      const answer = await judge.node.get(route, body && { method: "POST", body: JSON.stringify(body) });
      assert.strictEqual(answer.status, status, answer.text);
      assert.match(client.problem(answer).detail, detail);
    }
  });
  await t.test("kettle verify --statement takes a URL", async () => {
    const args = ["--signer", judge.signer, "--chain-id", String(judge.chainId), "--max-age", "3600"];
    const { status, out } = await check(judge.node.program, ["verify", "--statement", `${judge.node.url}/v1/checkpoint`, ...args]);
    assert.strictEqual(status, 0, out);
    assert.match(out, /\nall holds\n$/);
  });
}

// The file with one element removed, altered, added: each has its code.
async function evidence(t, judge, supply) {
  const options = { method: "POST", body: JSON.stringify(supply) };
  const file = JSON.parse((await judge.node.get("/v1/call?evidence=inline", options)).text);
  await t.test("an answer with its evidence inside replays from the checkpoint, and from no other", async () => {
    const { status, out } = await judge.replay(JSON.stringify(file));
    assert.strictEqual(status, 0, out);
    assert.match((await judge.replay(JSON.stringify(file), ZERO)).out, /^FAIL consensus +bad-bootstrap/m);
    return `${judge.replayed} answers of this run replayed, this one is ${JSON.stringify(file).length} bytes`;
  });
  await t.test("each element removed, altered or added makes the file fail with its own code", async () => {
    const flip = (hex) => hex.slice(0, -1) + (hex.at(-1) === "0" ? "1" : "0");
    const ofUpdates = {
      "missing-update": (f) => f.consensus.updates.pop(),
      "bad-update": (f) => (f.consensus.updates[0] = flip(f.consensus.updates[0])),
      "unused-update": (f) => f.consensus.updates.push(f.consensus.updates[0]),
    };
    const faults = {
      "wrong-id": (f) => (f.id = flip(f.id)),
      "wrong-setup": (f) => (f.setup.chain_id += 1),
      "wrong-request": (f) => (f.request = {}),
      "no-bootstrap": (f) => (f.consensus.bootstrap = null),
      "bad-bootstrap": (f) => (f.consensus.bootstrap = flip(f.consensus.bootstrap)),
      ...(file.consensus.updates.length > 0 && ofUpdates), // a young chain has none; tests/unit/test_retrace.c always has
      "bad-head": (f) => (f.consensus.head.object = flip(f.consensus.head.object)),
      "missing-node": (f) => f.witness.state.pop(),
      "unused-node": (f) => f.witness.state.push("0xffffff"),
      "missing-code": (f) => f.witness.codes.pop(),
      "unused-code": (f) => f.witness.codes.push("0xffffff"),
      "bad-signature": (f) => (f.answer.signature = f.answer.signature.slice(0, 20) + flip(f.answer.signature.slice(20, 40)) + f.answer.signature.slice(40)),
      malformed: (f) => (f.more = 1),
    };
    for (const [code, change] of Object.entries(faults)) {
      const changed = structuredClone(file);
      change(changed);
      const { status, out } = await judge.replay(JSON.stringify(changed));
      assert.strictEqual(status, 1, `${code}: ${out}`);
      assert.match(out, new RegExp(`^FAIL \\w+ +${code}: `, "m"));
    }
    return Object.keys(faults).join(", ");
  });
  await t.test("evidence that is not there is a problem that says why", async () => {
    const unknown = await judge.node.get(`/v1/evidence/${ZERO}`);
    assert.deepStrictEqual([unknown.status, client.problem(unknown).type], [404, "urn:kettle:error:evidence-expired"]);
    const elsewhere = await judge.node.get(`/v1/block/latest?evidence=inline&checkpoint=${ZERO}`);
    assert.deepStrictEqual([elsewhere.status, client.problem(elsewhere).type], [404, "urn:kettle:error:unknown-checkpoint"]);
  });
}

// A gateway between libraries and the node: passes on, or puts another question, or gives an old answer.
async function startGateway(node) {
  const gateway = { question: (data) => data, old: null, last: null };
  const server = http.createServer(async (request, response) => {
    const [, sender, data] = /^\/(0x[0-9a-f]{40})\/(0x[0-9a-f]*)\.json$/.exec(request.url);
    const answer = await node.get(`/v1/ccip/${sender}/${gateway.question(data)}.json`);
    gateway.last = answer.text;
    response.writeHead(answer.status, { "content-type": "application/json" }).end(gateway.old ?? answer.text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  gateway.url = `http://127.0.0.1:${server.address().port}/{sender}/{data}.json`;
  gateway.stop = () => server.closeAllConnections() ?? server.close();
  return gateway;
}

// The contract's error in what a library threw: its data stands somewhere among the causes.
function contractError(viem, error, abi) {
  for (let e = error; e; e = e.cause ?? e.error) {
    const data = [e.data, e.data?.data, e.info?.error?.data].find((d) => typeof d === "string" && d.length >= 10);
    if (data) return viem.decodeErrorResult({ abi, data }).errorName;
  }
  throw error;
}

async function contracts(t, chain, judge) {
  const token = chain.contracts.addresses.token.toLowerCase();
  const decimals = { to: token, data: "0x313ce567" }; // always the same
  await until("the token stands on a finalized block", 120000, async () => {
    const { number } = (await judge.ask("/v1/block/finalized")).message.at;
    return (await chain.ask("eth_getCode", token, quantity(number))) !== "0x";
  }, 1000);
  await command(path.join(t.world.root, "tests/sdk/run"), ["--install"], path.join(t.world.tmp, "sdk.log"));
  const { deploy, send, startAnvil } = await import("../sdk/anvil.mjs");
  const compiled = (await import("../sdk/compile.mjs")).compile();
  const { viem, ethers } = await import("../sdk/libraries.mjs");
  const l2 = await startAnvil();
  t.atEnd(() => l2.stop());
  const gateway = await startGateway(judge.node);
  t.atEnd(() => gateway.stop());
  const registry = await deploy(l2, compiled.KettleSigners, [l2.account.address]);
  await send(l2, registry, "setPair", [judge.signer, judge.setup, true]);
  const verifier = await deploy(l2, compiled.KettleVerifier, [registry.address]);
  const direct = `${judge.node.url}/v1/ccip/{sender}/{data}.json`, posted = `${judge.node.url}/v1/ccip/{sender}.json`;
  const reader = (chainId, setup, url) => deploy(l2, compiled.KettleReader, [verifier.address, BigInt(chainId), setup, [url]]);
  const abi = [...compiled.KettleReader.abi, ...compiled.KettleVerifier.abi];
  const call = { from: `0x${"00".repeat(20)}`, to: token, value: 0n, gas: 0n, data: decimals.data, overrides: ZERO };

  await t.test("KettleVerifier accepts a statement of the live node, prints its gas, and refuses another pair", async () => {
    const { message, text } = await judge.call(decimals);
    const { signature } = JSON.parse(text);
    const hash = await l2.client.readContract({ ...verifier, functionName: "hashCall", args: [message.call] });
    const args = [message, signature, BigInt(judge.chainId), hash, 3600n];
    const signer = await l2.client.readContract({ ...verifier, functionName: "verifyFresh", args });
    assert.strictEqual(signer.toLowerCase(), judge.signer);
    const gasOf = (functionName, last) =>
      l2.client.estimateContractGas({ ...verifier, functionName, args: [...args.slice(0, 4), last], account: l2.account });
    const gas = { verifyFresh: await gasOf("verifyFresh", 3600n), verifyAt: await gasOf("verifyAt", BigInt(message.at.number)) };
    for (const [name, spent] of Object.entries(gas)) assert(spent > 21000n && spent < 60000n, `${name}: ${spent} gas`);
    await assert.rejects(
      l2.client.readContract({ ...verifier, functionName: "verifyFresh", args: [{ ...message, setup: ZERO }, ...args.slice(1)] }),
      (error) => contractError(viem, error, abi) === "NotAccepted",
    );
    return `verifyFresh costs ${gas.verifyFresh} gas in all, verifyAt ${gas.verifyAt}`;
  });

  const provider = new ethers.JsonRpcProvider(l2.url, undefined, { staticNetwork: true, cacheTimeout: -1 });
  t.atEnd(() => provider.destroy());
  const libraries = {
    viem: (at, args) => l2.client.readContract({ ...at, functionName: "read", args }),
    ethers: (at, args) => new ethers.Contract(at.address, at.abi, provider).read(...args, { enableCcipRead: true }),
  };
  const now = () => l2.client.request({ method: "evm_mine", params: [] }); // anvil's time stands still between blocks
  const byGet = await reader(judge.chainId, judge.setup, direct);
  const byPost = await reader(judge.chainId, judge.setup, posted);
  const between = await reader(judge.chainId, judge.setup, gateway.url);
  const elsewhere = await reader(judge.chainId + 1, judge.setup, direct);
  const otherSetup = await reader(judge.chainId, `0x${"12".repeat(32)}`, direct);
  for (const [name, read] of Object.entries(libraries)) {
    const refused = async (at, args, error) => {
      await assert.rejects(read(at, args), (e) => assert.strictEqual(contractError(viem, e, abi), error) ?? true);
    };
    await t.test(`${name} reads this chain from another through the live node, by GET and by POST, at latest, safe, finalized and one block`, async () => {
      const { number } = (await judge.ask("/v1/block/finalized")).message.at;
      const truth = await chain.ask("eth_call", decimals, quantity(number));
      await now();
      for (const at of [byGet, byPost])
        for (const [rule, n, age] of [[LATEST, 1n, 120n], [SAFE, 1n, 1500n], [FINALIZED, 1n, 1500n], [BY_NUMBER, BigInt(number), 0n]])
          assert.strictEqual(await read(at, [call, rule, n, age]), truth);
    });
    await t.test(`${name}: the contract refuses a gateway that answers another request, an older block, a revert, another chain, another setup`, async () => {
      const { abi: own } = compiled.IKettleGateway;
      const change = (alter) => (data) => {
        const { args } = viem.decodeFunctionData({ abi: own, data });
        return viem.encodeFunctionData({ abi: own, functionName: "callStatement", args: alter(...args) });
      };
      gateway.question = change((c, rule, n) => [{ ...c, data: "0x18160ddd" }, rule, n]);
      await refused(between, [call, LATEST, 1n, 120n], "WrongCall");
      gateway.question = change((c) => [c, FINALIZED, 0n]);
      const { number } = (await judge.ask("/v1/block/latest")).message.at;
      await refused(between, [call, LATEST, BigInt(number), 3600n], "BlockTooLow");
      await refused(between, [call, BY_NUMBER, BigInt(number), 0n], "WrongBlock");
      gateway.question = change((c, rule, n) => [c, LATEST, n]);
      await refused(between, [call, FINALIZED, 1n, 1500n], "NotFinal");
      gateway.question = (data) => data;
      const failing = { ...call, data: new Interface(chain.contracts.abi.Token).encodeFunctionData("burn", [1n << 200n]) };
      await refused(between, [failing, LATEST, 1n, 120n], "Failed");
      gateway.old = null;
      await now();
      await read(between, [call, LATEST, 1n, 120n]);
      gateway.old = gateway.last; // true then; too old soon
      await until("it is too old", 30000, async () => {
        await now();
        await refused(between, [call, LATEST, 1n, 2n], "TooOld");
        return true;
      }, 500);
      gateway.old = null;
      await refused(elsewhere, [call, LATEST, 1n, 120n], "NotAccepted");
      await refused(otherSetup, [call, LATEST, 1n, 120n], "WrongSetup");
    });
  }
  await t.test("what the gateway refuses is {message} with a status that clients of ERC-3668 understand", async () => {
    const broken = await judge.node.get(`/v1/ccip/${NOBODY}/0x12345678.json`);
    assert.strictEqual(broken.status, 400);
    assert.match(JSON.parse(broken.text).message, /^data: /);
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const node = await t.world.node("statements").begin(chain.setup());
  const pubkey = await client.attest(node);
  const status = await node.status();
  const judge = new Judge(t, node, pubkey, status.setup, status.chain_id);
  judge.network = path.join(t.world.tmp, "statements-network.json");
  fs.writeFileSync(judge.network, JSON.stringify({ network: chain.setup().network }));
  judge.checkpoint = chain.setup().checkpoint;
  const supply = await routes(t, chain, judge);
  await evidence(t, judge, supply);
  judge.replays = process.env.E2E_FULL === "1";
  await sameAndReplayed(t, judge, supply);
  await contracts(t, chain, judge);
  await node.stop();
}

export default { title: "signed statements, and contracts elsewhere that read them", run };

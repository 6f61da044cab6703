// A new key in a running cluster: an order excludes one node's image and names two makers. The excluded one attacks with
// the old key. With E2E_FULL memory and files of all are searched for both keys, and the makers of later orders are killed
// before, between and after draft and COMMIT.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";
import { filesWith, pages, standsIn } from "./lib/memory.mjs";
import { ownGeneration, resign, secretOf } from "./lib/oldkey.mjs";
import { keys, member, operator, releases } from "./lib/orders.mjs";
import { signersOnAnvil } from "./lib/signers.mjs";
import { statementDigest, verifyStatement } from "../../sdk/js/kettle-verify.mjs";

const ROTATED_MS = 30000; // from the COMMIT to signatures of the new generation

// An excluded member that hides the new key: it shows and signs what it did before.
async function attacker(t, bodies) {
  const port = t.world.port();
  const server = http.createServer((request, answer) => {
    const body = bodies[request.url];
    answer.writeHead(body ? 200 : 404, { "content-type": "application/json" }).end(body);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

async function scenario(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const operators = await operator(t, "rotation", chain);
  const { kettle, file, policy, policy_signers } = operators;
  const [a, b, c, out] = [["a", "image-a"], ["b", "image-a"], ["c", "image-a"], ["out", "image-b"]].map((x) => member(t, "rotation", ...x));
  const all = [a, b, c, out];
  const supply = { to: chain.contracts.addresses.token, data: "0x18160ddd" };
  let first, second, hash, before, called, admitted, yesterday, meanwhile;

  await t.test("four nodes of two images form a cluster", async () => {
    for (const one of all) {
      const peers = all.slice(0, all.indexOf(one)).map(({ port }) => `127.0.0.1:${port}`);
      const setup = chain.setup({ peers, port: one.port, policy: policy("image-a", "image-b"), policy_signers });
      if (peers.length) delete setup.checkpoint;
      await one.node.begin(setup);
    }
    first = await client.attest(a.node);
    for (const one of all) assert.strictEqual(await client.attest(one.node), first, one.name);
    hash = (await a.node.status()).setup;
    yesterday = file("yesterday");
    fs.cpSync(path.join(c.node.dir, "state"), yesterday, { recursive: true });
    before = Object.fromEntries(
      await Promise.all(["/v1/keys", "/v1/block/latest"].map(async (url) => [url, (await a.node.get(url)).text])),
    );
    called = await signedCall(a, supply);
  });

  await t.test("an order is prepared from fresh attestations, signed, and sent to one node", async () => {
    const { file: signed, unsigned, order, said, policy: text } = await operators.order(all, ["image-a"], "--void-slot", "0");
    admitted = text;
    assert.match(said, new RegExp(`${out.node.url} is not admitted: E_MEASUREMENT`));
    await assert.rejects(kettle("order", "send", "--node", a.node.url, unsigned), /0 of 1 signers have signed/);
    assert.deepStrictEqual([order.version, order.makers.length, order.cluster], [1, 2, `0x${first}`]);
    await kettle("order", "send", "--node", b.node.url, signed);
    await until("all have it", 20000, async () => {
      for (const one of all) assert.strictEqual((await keys(one)).order.digest, order.digest, one.name);
      return true;
    });
  });

  await t.test("the excluded node says why it signs nothing", async () => {
    await until("503", 20000, async () => (await out.node.get("/block")).status === 503);
    const { state, reason } = await out.node.status();
    assert.strictEqual(state, "degraded");
    assert.match(reason, /order 1 excludes this node: E_MEASUREMENT/);
  });

  await t.test(`the other three sign with a new key within ${ROTATED_MS / 1000} s of its COMMIT`, async () => {
    const others = [a, b, c];
    if (t.world.full) meanwhile = snapshots(others); // drafts are given and taken
    const committed = await until("it is committed", 60000, async () => {
      const { generations } = await keys(a);
      return generations.length === 2 && Date.now();
    });
    await until("it signs", ROTATED_MS, async () => {
      for (const one of others) assert.notStrictEqual(await client.attest(one.node), first, one.name);
      return true;
    });
    second = await client.attest(a.node);
    for (const one of others) {
      assert.strictEqual(await client.attest(one.node), second, one.name);
      await client.block(one.node, second);
    }
    assert.strictEqual((await out.node.get("/block")).status, 503);
    const released = (await keys(out)).pubkey;
    assert(released === null || released === `0x${first}`, "the excluded node has the new key");
    return `${Date.now() - committed} ms`;
  });

  await t.test("the log of releases is the same on all, and names nobody who was excluded", async () => {
    const others = [a, b, c];
    await until("the same on all", 20000, async () => {
      const logs = await Promise.all(others.map(releases));
      const entries = logs.map((log) => log.map(({ entry }) => entry));
      assert.deepStrictEqual(entries[1], entries[0]);
      assert.deepStrictEqual(entries[2], entries[0]);
      return true;
    });
    const log = await releases(a), shut = (await out.node.status()).node_pubkey;
    assert(log.some(({ receiver, generation }) => receiver === shut && generation.version === 0), "it was given the first key");
    const fresh = log.filter(({ generation }) => generation.version === 1);
    assert(fresh.length >= 2 && fresh.every(({ receiver, draft }) => receiver !== shut && typeof draft === "boolean"));
    assert(log.every(({ contradicted, slot }) => !contradicted && slot > 0));
    return `${log.length} entries`;
  });

  await t.test("verify --follow walks from the first key to the new one; what the old one signs is refused", async () => {
    const follow = ["verify", "--follow", "--pubkey", first, "--setup-hash", hash];
    const also = ["--also", a.node.url, "--also", c.node.url];
    const policed = ["--policy", admitted, "--network", "any", "--development"];
    const good = await kettle(...follow, ...also, ...policed, b.node.url);
    assert.match(good.stdout, new RegExp(`generation 1\\.[01] signs from slot \\d+ on, with key 0x${second}`));
    assert.match(good.stdout, /the policy admits this TD/);
    const plain = await kettle("verify", ...policed, b.node.url);
    assert.match(plain.stdout, /unbound: generation 1\.[01] signs, order 1 is in force, \d distinct platforms/);
    assert.match(plain.stdout, /recovery none/);

    fs.writeFileSync(file("old"), before["/v1/block/latest"]);
    const refused = (error) => error.code === 1 && /generation 0\.0, which generation 1\.[01] has retired/.test(error.stdout);
    await assert.rejects(kettle(...follow, "--kept", file("old"), b.node.url), refused);
    const hides = await attacker(t, before);
    await assert.rejects(kettle(...follow, "--also", hides.url, b.node.url), refused);
    hides.close();

    const changed = JSON.parse((await b.node.get("/v1/keys")).text);
    changed.generations[1].proof = changed.generations[1].proof.replace(/..$/, (x) => (x === "00" ? "01" : "00"));
    const forges = await attacker(t, { ...before, "/v1/keys": JSON.stringify(changed) });
    await assert.rejects(kettle(...follow, forges.url), (error) => error.code === 1 && /E_GENERATION/.test(error.stdout));
    forges.close();
  });

  if (t.world.full && !meanwhile) t.skip("where the keys stand", "the memory of another process cannot be read here");
  else if (meanwhile)
    await t.test("neither key stands anywhere but in locked pages, also while one was shared; the old one is wiped", async () =>
      search({ meanwhile: await meanwhile(), all, first, second, out }));

  const { secret, why } = oldSecret(out, first);
  if (why) t.skip("what the excluded member signs with the old key", why);
  else
    await t.test("the excluded member signs and shows what it likes with the old key: nobody takes it", () =>
      attack(t, { operators, hash, first, second, honest: b, before, secret }));
  if (!why)
    await t.test("... nor does KettleSigners on a chain of its own, whose owner has put the new key in the old one's place", () =>
      attackContract(t, { hash, called, present: () => signedCall(b, supply), proof: async () => (await keys(b)).generations[1].proof, secret }));

  await t.test("a member that starts again with yesterday's disk gets the new key, and neither gives nor gets the old one", async () => {
    const had = (await releases(a)).length;
    await c.node.crash();
    fs.rmSync(path.join(c.node.dir, "state"), { recursive: true });
    fs.renameSync(yesterday, path.join(c.node.dir, "state"));
    await c.node.start();
    await c.node.ready(15000);
    assert.strictEqual(await client.attest(c.node), second);
    assert.strictEqual((await keys(c)).order.version, 1);
    const since = await until("its release is in the log", 20000, async () => (await releases(a)).length > had && releases(a));
    const boots = [(await c.node.status()).node_pubkey];
    const its = since.filter(({ giver, receiver }) => boots.includes(giver) || boots.includes(receiver));
    assert(its.length > 0 && its.every(({ generation }) => generation.version === 1), JSON.stringify(its));
  });
  if (t.world.full) await makersDie(t, { operators, members: [a, b, c], second });
  for (const one of all) await one.node.stop();
}

// The old key in the excluded member's memory: {secret}, or {why} it cannot be had here: whoever may not trace a process
// cannot play its host.
function oldSecret(out, first) {
  try {
    return { secret: secretOf(out.node.pid, first) };
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(error.code)) throw error;
    return { why: `the memory of another process cannot be read here: ${error.message}` };
  }
}

// What the memory of members had while a key was made and given: a function that ends that and returns it; undefined: it
// cannot be read here.
function snapshots(members) {
  const taken = [];
  let over = false;
  const take = () => taken.push(...members.map(({ node }) => pages(node.pid)));
  try {
    take();
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(error.code)) throw error;
    return undefined;
  }
  const done = (async () => {
    for (let i = 0; i < 3 && !over; i++) {
      await sleep(4000);
      take();
    }
  })();
  return async () => {
    over = true;
    await done;
    return taken;
  };
}

async function search({ meanwhile, all, first, second, out }) {
  const honest = all.filter((one) => one !== out);
  const old = secretOf(out.node.pid, first), present = secretOf(honest[0].node.pid, second);
  assert(old && present);
  let locked = 0;
  for (const image of meanwhile)
    for (const secret of [old, present]) {
      const found = standsIn(image, secret);
      assert.strictEqual(found.elsewhere, 0, "a key stood outside of locked pages while it was shared");
      locked += found.locked;
    }
  assert(locked > 0, "what is looked for can be found");
  for (const one of all) {
    const image = pages(one.node.pid);
    assert.deepStrictEqual(standsIn(image, one === out ? present : old), { locked: 0, elsewhere: 0 }, one.name);
    const { locked: there, elsewhere } = standsIn(image, one === out ? old : present);
    assert(there >= 1 && !elsewhere, `${one.name}: ${there} in locked pages, ${elsewhere} elsewhere`);
    for (const secret of [old, present]) assert.deepStrictEqual(filesWith(one.node.dir, secret), [], one.name);
  }
  return `${meanwhile.length} images meanwhile`;
}

// What the excluded member can do with its secret, against those who follow and those who pin.
async function attack(t, { operators, hash, first, second, honest, before, secret }) {
  assert(secret, "the old secret is not in the excluded member's memory");
  const { kettle, file } = operators;
  const follow = ["verify", "--follow", "--pubkey", first, "--setup-hash", hash];
  const refused = (pattern) => (error) => error.code === 1 && pattern.test(error.stdout);
  const old = JSON.parse(before["/v1/block/latest"]), present = JSON.parse((await honest.node.get("/v1/block/latest")).text);
  const pins = { signer: present.signer, chainId: present.domain.chainId, maxAge: null };
  verifyStatement(present, pins);
  verifyStatement(old, { ...pins, signer: old.signer });

  // Of a slot of the new key, and dated back to one of its own.
  const later = resign(present, secret, () => {}, statementDigest);
  const backDated = resign(old, secret, (message) => (message.validUntil = String(BigInt(message.validUntil) + 1n)), statementDigest);
  for (const [name, forged] of Object.entries({ later, backDated })) {
    assert.strictEqual(verifyStatement(forged, { ...pins, signer: old.signer }).signer, old.signer, "it is signed by the old key");
    assert.throws(() => verifyStatement(forged, pins), ({ code }) => code === "wrong-signer");
    fs.writeFileSync(file(name), JSON.stringify(forged));
    await assert.rejects(kettle(...follow, "--kept", file(name), honest.node.url), refused(/E_RETIRED|has retired/));
  }

  // A generation that it makes itself, alone and beside the true ones.
  const shown = JSON.parse((await honest.node.get("/v1/keys")).text);
  const own = ownGeneration(shown.generations[1].proof, present.message.at.slot);
  const mine = { ...shown, pubkey: `0x${own.pubkey}`, generations: [shown.generations[0], { ...shown.generations[1], ...own, secret: undefined }] };
  const byMine = JSON.stringify(resign(present, own.secret, () => {}, statementDigest));
  const lies = await attacker(t, { "/v1/keys": JSON.stringify(mine), "/v1/block/latest": byMine });
  await assert.rejects(kettle(...follow, lies.url), refused(/E_GENERATION/));
  await assert.rejects(kettle(...follow, "--also", lies.url, honest.node.url), refused(/E_GENERATION/));
  assert.throws(() => verifyStatement(JSON.parse(byMine), pins), ({ code }) => code === "wrong-signer");
  lies.close();
  assert.strictEqual(await client.attest(honest.node), second);
  assert.strictEqual((await keys(honest)).generations.length, 2);
}

// A statement of a call, by a member.
async function signedCall({ node }, call) {
  const headers = { "content-type": "application/json" };
  const answer = await node.get("/v1/call", { method: "POST", headers, body: JSON.stringify(call) });
  assert.strictEqual(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}

// The same against a contract's list of signers.
async function attackContract(t, { hash, called, present, proof, secret }) {
  const contract = await signersOnAnvil(t);
  const fresh = await present();
  const own = ownGeneration(await proof(), fresh.message.at.slot);
  await contract.set(called.signer, hash, true);
  assert.strictEqual((await contract.says(called)).error, undefined, "before the rotation the old key's statements hold");
  await contract.set(fresh.signer, hash, true);
  await contract.set(called.signer, hash, false);
  assert.strictEqual((await contract.says(fresh)).error, undefined, "the new key's");
  const later = (message) => (message.validUntil = String(BigInt(message.validUntil) + 1n));
  const forged = {
    "an old one that was kept": called,
    "the old key, for a slot of the new one": resign(fresh, secret, () => {}, statementDigest),
    "the old key, dated back": resign(called, secret, later, statementDigest),
    "a generation 2 of its own": resign(fresh, own.secret, () => {}, statementDigest),
  };
  for (const [name, statement] of Object.entries(forged))
    assert.strictEqual((await contract.says(statement)).error, "NotAccepted", name);
  return `${Object.keys(forged).length} refused`;
}

const newest = async (one) => (await keys(one)).generations.at(-1);

// An order to the members whose first maker is killed at a moment: {order, maker, alive}.
async function killMaker(operators, members, moment) {
  const { file, order } = await operators.order(members, ["image-a"]);
  const statuses = await Promise.all(members.map(({ node }) => node.status()));
  const maker = members[statuses.findIndex(({ node_pubkey }) => node_pubkey === order.makers[0])];
  const alive = members.filter((one) => one !== maker);
  await operators.kettle("order", "send", ...members.flatMap(({ node }) => ["--node", node.url]), file);
  await moment(order, maker, alive);
  await maker.node.crash();
  return { order, maker, alive };
}

// All that live use one key of this order; the killed one comes back to it. Returns the key and its maker's place.
async function settles({ order, maker, alive }, was) {
  const key = await until("the key has changed", 120000, async () => {
    const seen = await Promise.all(alive.map(({ node }) => client.attest(node)));
    assert(new Set(seen).size === 1 && seen[0] !== was);
    return seen[0];
  });
  const { version, index } = await newest(alive[0]);
  assert.strictEqual(version, order.version);
  await maker.node.start();
  await maker.node.ready(30000);
  assert.strictEqual(await client.attest(maker.node), key);
  return { key, index };
}

// A minute goes by before the second maker's turn, where the first has not come to a COMMIT.
async function makersDie(t, { operators, members, second }) {
  let key = second;
  const dies = async (moment) => {
    const ended = await settles(await killMaker(operators, members, moment), key);
    key = ended.key;
    return ended.index;
  };
  await t.test("the first maker is killed before its turn: the second one makes the key", async () => {
    assert.strictEqual(await dies(async () => {}), 1);
  });
  await t.test("... once its draft has gone out: its key or the second one's, the same on all", async () => {
    const index = await dies((order, maker) =>
      until("a draft goes out", 30000, () => fs.readFileSync(maker.node.log, "utf8").includes(`the key of generation ${order.version}.0 goes to`), 2));
    return `maker ${index}`;
  });
  await t.test("... once its key is committed: it is used from its slot on", async () => {
    const index = await dies((order, maker, alive) =>
      until("it is committed", 30000, async () => (await newest(alive[0])).version === order.version, 20));
    assert.strictEqual(index, 0);
  });
}

export default { title: "an order, and a new key for those that it admits", run: scenario };

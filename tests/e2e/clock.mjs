import assert from "node:assert";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { Clock } from "./lib/clock.mjs";
import { sleep, until } from "./lib/node.mjs";

// The program's clock is set, slowed and put right again by a shim, while the chain goes on in true time. Whatever the clock says:
// nothing is signed beyond the promised age, the reason names the clock and by how much it is wrong, no endpoint is blamed, and
// the node is ready again within 4 s.

const PROMISED_SLOTS = 25;
const RECOVERY_MS = 4000;
const SLACK_MS = 1500; // the node's answers of the same moment, and a clock that is a moment behind its counter
const HOLD_MS = 6000; // how long a wrong clock is watched once it is found out
const DAY_S = 86400;
const YEAR_S = 365 * DAY_S;

class Watch {
  #stop = false;
  signed = 0;
  oldestMs = 0;

  constructor(node, chain, pubkey) {
    Object.assign(this, { node, chain, pubkey });
  }

  // The age of what is signed now, in true time, at the moment of the question: the answer may be late by itself. null: nothing is.
  async look() {
    const asked = Date.now();
    const answer = await this.node.get("/block");
    if (answer.status !== 200) return null;
    const number = Number(client.parseTwice(answer.text).blocknum);
    const { timestamp } = await this.chain.block(number);
    const ageMs = asked - Number(timestamp) * 1000;
    this.signed++;
    this.oldestMs = Math.max(this.oldestMs, ageMs);
    assert(ageMs <= PROMISED_SLOTS * this.chain.slotSeconds * 1000 + SLACK_MS, `block ${number} signed ${ageMs} ms late`);
    return ageMs;
  }

  async #nobodyIsBlamed() {
    const status = await this.node.status();
    for (const row of status.upstreams?.consensus ?? []) {
      assert.deepStrictEqual([row.lies, row.failing, row.reason], [0, false, ""], JSON.stringify(row));
    }
    return status;
  }

  // Looks until the reason matches, and holds: a check that throws while it does not; the match.
  async reason(pattern, holds = () => {}, limitMs = 20000) {
    let last = "";
    return until(`the reason ${pattern}`, limitMs, async () => {
      await this.look();
      const { state, reason } = await this.#nobodyIsBlamed();
      last = `${state}: ${reason}`;
      const match = state !== "ready" && reason.match(pattern);
      if (!match) throw new Error(last);
      holds(match);
      return match;
    });
  }

  // Goes on looking; never: nothing may be signed at all meanwhile.
  async hold(ms, { never }) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) {
      const age = await this.look();
      assert(!never || age === null, "signed");
      await this.#nobodyIsBlamed();
    }
  }

  // Ready after the clock was put right: how long it took.
  async recovers() {
    const began = Date.now();
    await until("ready again", RECOVERY_MS, async () => (await this.node.get("/readyz/block")).status === 200, 50);
    const ms = Date.now() - began;
    assert((await this.look()) !== null, "nothing is signed");
    await this.#nobodyIsBlamed();
    return ms;
  }
}

const BEHIND = /^this machine's clock is (\d+) s behind what (\d+) of (\d+) validators signed$/;
const BELOW = /^this machine's clock is (\d+) s behind /; // whatever it is: this program may have been built a minute ago
const AHEAD = /^this machine's clock ran (\d+) s ahead of its counter since it agreed with the chain: /;
const BOTH =
  /^the newest head with 2\/3 of the sync committee is (\d+) s old by this machine's clock: the clock is ahead, or every endpoint is behind; their Date headers say ([+-]\d+) s$/;

// The clock is found behind by less than it is: a header is known one slot and a third after its slot began.
function isNear(told, true_s, chain) {
  const less = 2 * chain.slotSeconds + 1;
  assert(told <= true_s + 1 && told >= true_s - less, `${told} s told, ${true_s} s true`);
}

const duringTheRun = (slot) => [
  { what: "slowed to a tenth", set: { rate: 0.1 }, pattern: BEHIND },
  { what: "2 slots behind", set: { offsetMs: -2 * slot * 1000 }, pattern: BEHIND, behind: 2 * slot },
  { what: "6 slots behind", set: { offsetMs: -6 * slot * 1000 }, pattern: BEHIND, behind: 6 * slot },
  { what: "10 minutes behind", set: { offsetMs: -600000 }, pattern: BEHIND, behind: 600 },
  { what: "a day behind", set: { offsetMs: -DAY_S * 1000 }, pattern: BEHIND, behind: DAY_S },
  { what: "10 minutes ahead", set: { offsetMs: 600000 }, pattern: AHEAD, ahead: 600 },
  { what: "a year ahead", set: { offsetMs: YEAR_S * 1000 }, pattern: AHEAD, ahead: YEAR_S },
];

async function setDuringTheRun(t, watch, clock, name, { what, set, pattern, behind, ahead }) {
  await t.test(`${name}: ${what}, set during the run`, async () => {
    await watch.recovers();
    clock.set(set);
    try {
      const [, told] = await watch.reason(pattern);
      if (behind) isNear(Number(told), behind, watch.chain);
      // Since it agreed: when it does not count as a bound, at a moment when the clock of the row before was a little behind.
      if (ahead) assert(Math.abs(Number(told) - ahead) <= 2 * watch.chain.slotSeconds, `${told} s told`);
      // Where the counter is no bound, a slot without a block lets so small a fault pass for a moment.
      const small = name !== "tsc" && behind <= 2 * watch.chain.slotSeconds;
      await watch.hold(HOLD_MS, { never: !set.rate && !small });
      return `${(await watch.node.status()).reason.slice(0, 60)}…; ready again after ${(clock.right(), await watch.recovers())} ms`;
    } finally {
      clock.right();
    }
  });
}

const clockOf = (t, name, source) =>
  new Clock({ dir: path.join(t.world.tmp, `clock-${name}`), build: t.world.build, source });

async function oneNode(t, chain, source) {
  const clock = clockOf(t, source, source);
  clock.right();
  const node = await t.world.node(`clock-${source}`, { env: clock.env }).begin(chain.setup());
  const watch = new Watch(node, chain, await client.attest(node));
  await t.test(`${source}: the status says what the clock is held against`, async () => {
    const { clock: told, upstreams } = await until("an agreement", 10000, async () => {
      const status = await node.status();
      return status.clock.counter_offset_ms !== null && status;
    });
    assert.deepStrictEqual([told.source, told.counter_is_bound], [source, source === "tsc"]);
    assert(told.above_bound_ms > -100 && told.above_bound_ms < 4 * chain.slotSeconds * 1000, JSON.stringify(told));
    assert(Math.abs(told.counter_offset_ms) < 100 && Math.abs(upstreams.consensus[0].clock_off_by_s) <= 1);
    return `${told.bound_by}, ${told.above_bound_ms} ms above the bound`;
  });
  for (const row of duringTheRun(chain.slotSeconds)) await setDuringTheRun(t, watch, clock, source, row);
  assert.strictEqual((await node.stop()).code, 0);
}

// ---------------------------------------------------------------- set before the start

const beforeTheStart = (slot) => [
  { what: "2 slots behind", offsetMs: -2 * slot * 1000, pattern: BEHIND, behind: 2 * slot },
  { what: "6 slots behind", offsetMs: -6 * slot * 1000, pattern: BEHIND, behind: 6 * slot },
  { what: "10 minutes behind", offsetMs: -600000, pattern: BEHIND, behind: 600 },
  { what: "a day behind", offsetMs: -DAY_S * 1000, pattern: BEHIND, behind: DAY_S },
  { what: "10 minutes ahead", offsetMs: 600000, pattern: BOTH, ahead: 600 },
  { what: "a year ahead", offsetMs: YEAR_S * 1000, pattern: /weak-subjectivity bound; by the endpoints' Date headers .* ([+-]\d+) s$/ },
];

async function setBeforeTheStart(t, chain, { what, offsetMs, pattern, behind, ahead }) {
  await t.test(`${what}, set before the start`, async () => {
    const clock = clockOf(t, `start-${offsetMs}`, "kvm-clock");
    clock.set({ offsetMs });
    const node = await t.world.node("clock-start", { env: clock.env }).start();
    try {
      assert.strictEqual((await node.setup(chain.setup())).status, 200);
      const watch = new Watch(node, chain);
      // The first thing heard of may be an older head than the newest.
      const match = await watch.reason(pattern, ([, told]) => behind && isNear(Number(told), behind, chain));
      if (ahead) assert(Math.abs(Number(match[2]) - ahead) <= 2, match[0]);
      await watch.hold(HOLD_MS, { never: Math.abs(offsetMs) > 2 * chain.slotSeconds * 1000 });
      clock.right();
      return `${match[0].slice(0, 60)}…; ready after ${await watch.recovers()} ms`;
    } finally {
      node.kill();
    }
  });
}

// A checkpoint beyond its bound, which a clock that was set back makes young.
async function oldCheckpoint(t, chain) {
  await t.test("set back before a checkpoint's bound: it is found too old, and stays so", async () => {
    const checkpoint = await chain.oldCheckpoint();
    const { header } = await chain.beacon(`/eth/v1/beacon/light_client/bootstrap/${checkpoint}`);
    const begunS = chain.summary.genesis_time + Number(header.beacon.slot) * chain.slotSeconds;
    const ageS = Math.floor(Date.now() / 1000 - begunS);
    const bound = Math.floor(ageS / 2);
    const clock = clockOf(t, "checkpoint", "kvm-clock");
    clock.set({ offsetMs: -(ageS - Math.floor(bound / 4)) * 1000 });
    const node = await t.world.node("clock-checkpoint", { env: clock.env }).start();
    try {
      assert.strictEqual((await node.setup(chain.setup({ checkpoint, checkpoint_age_max_s: bound }))).status, 200);
      const watch = new Watch(node, chain);
      await watch.reason(BELOW); // by the update of the first period; the next ones tell more
      await watch.hold(HOLD_MS, { never: true });
      const [text, told] = await watch.reason(BELOW);
      assert(Number(told) > bound / 2, text);
      clock.right();
      await watch.reason(/^the checkpoint is older than the weak-subjectivity bound/, undefined, RECOVERY_MS);
      await watch.hold(3000, { never: true });
      return text;
    } finally {
      node.kill();
    }
  });
}

// Nobody tells the node of new heads any more, and its clock nearly stands: what it signs must not grow old.
async function heldBack(t, chain, source) {
  await t.test(`${source}: slowed to a tenth while no endpoint answers: signs for ${PROMISED_SLOTS} slots at most`, async () => {
    const clock = clockOf(t, `held-${source}`, source);
    clock.right();
    const proxy = await t.world.proxy(chain);
    const node = await t.world.node("clock-held", { env: clock.env }).begin(chain.setup({ consensus: proxy.url }));
    const watch = new Watch(node, chain);
    try {
      await watch.look();
      await proxy.close();
      clock.set({ rate: 0.1 });
      const end = Date.now() + (PROMISED_SLOTS + 5) * chain.slotSeconds * 1000;
      while (Date.now() < end) {
        await watch.look();
        await sleep(250);
      }
      assert.strictEqual((await node.get("/readyz")).status, 503);
      return `${(await node.status()).reason}; oldest signed: ${watch.oldestMs} ms`;
    } finally {
      node.kill();
      await proxy.start().catch(() => {});
    }
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const sources = ["tsc", "kvm-clock"];
  const starts = async () => {
    for (const row of beforeTheStart(chain.slotSeconds)) await setBeforeTheStart(t, chain, row);
    await oldCheckpoint(t, chain);
  };
  // It waits most of its time, and disturbs nobody.
  t.background(Promise.all([...sources.flatMap((source) => [heldBack(t, chain, source), oneNode(t, chain, source)]), starts()]));
}

export default { title: "a clock that is set or slowed: nothing old is signed, the clock is blamed, and nobody else", run };

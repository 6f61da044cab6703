// Random lives of eight wallets against a model of twenty lines: the lists are those of the model after each step.
import assert from "node:assert/strict";
import { test } from "../sdk/harness.mjs";
import * as is from "./chain.mjs";

const STEPS = 60;

/** Numbers from a seed: the same run each time. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function lives(chain, compiled, seed) {
  const pick = random(seed);
  const c = await is.cluster(chain, compiled, 0);
  const wallets = await Promise.all(Array.from({ length: 8 }, (_, i) => is.wallet(chain, `life ${seed} ${i}`)));
  const chains = new Map();
  for (const who of wallets) chains.set(who, await is.chainOf(who.secret));
  const tokens = new Map(); // id -> {who, instance, bound, listed}
  const of = (who) => [...tokens].find(([, token]) => token.who === who);
  let minted = 0;
  let names = 0;
  const step = async (who) => {
    const [id, token] = of(who) ?? [];
    if (!id) {
      await c.does(chain.account, "mintNodeAccess", who.address, "");
      return tokens.set(++minted, { who });
    }
    if (!token.instance) {
      token.instance = `i${names++}`;
      return c.does(who, "registerInstance", token.instance);
    }
    const free = wallets.find((other) => !of(other));
    const choice = pick(10);
    if (!token.bound && choice < 6) {
      token.bound = true;
      return c.does(who, "bindInstance", ...is.bindArgs(token.instance, chains.get(who)));
    }
    if (token.bound && choice < 6) {
      token.listed = true;
      return c.does(who, "registerPeer");
    }
    if (choice === 6) {
      tokens.delete(id);
      return c.does(chain.account, "revokeNode", BigInt(id));
    }
    if (choice === 7 && free) {
      tokens.set(id, { who: free });
      return c.does(who, "transferFrom", who.address, free.address, BigInt(id));
    }
    tokens.set(id, { who });
    return c.does(who, "deactivateInstance", token.instance);
  };
  for (let n = 0; n < STEPS; n++) {
    await step(wallets[pick(wallets.length)]);
    const active = [...tokens].filter(([, t]) => t.instance).sort(([a], [b]) => a - b);
    const listed = active.filter(([, t]) => t.listed).map(([, t]) => `https://${t.instance}-s.dstack.example`);
    assert.deepEqual(await c.reads("getActiveInstances"), active.map(([, t]) => t.instance), `step ${n}`);
    assert.deepEqual(await c.reads("getPeerEndpoints"), listed, `step ${n}`);
    assert.equal(await c.reads("totalSupply"), BigInt(tokens.size));
  }
}

export async function tests(chain, { ours }) {
  for (const seed of [1, 2]) await test(`random lives, seed ${seed}`, () => lives(chain, ours, seed));
}

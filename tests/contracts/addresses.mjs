// WireGuard addresses: 254 of them, the smallest free one first, none twice within two hours.
import assert from "node:assert/strict";
import { test } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";
import * as is from "./chain.mjs";

const REST = 2 * 3600;

/** Sends many transactions into few blocks: 254 members wait for one another otherwise. */
async function crowd(chain, c, wallets) {
  const request = (method, ...params) => chain.client.request({ method, params });
  const raw = async (who, nonce, functionName, args) => {
    const data = viem.encodeFunctionData({ abi: c.abi, functionName, args });
    const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n };
    const tx = { to: c.address, data, nonce, gas: 400_000n, chainId: chain.chain.id, type: "eip1559", ...fees };
    await request("eth_sendRawTransaction", await who.signTransaction(tx));
  };
  await request("evm_setBlockGasLimit", viem.toHex(1_000_000_000n));
  await request("evm_setAutomine", false);
  const nonce = await chain.client.getTransactionCount({ address: chain.account.address });
  for (const [i, who] of wallets.entries()) await raw(chain.account, nonce + i, "mintNodeAccess", [who.address, ""]);
  await request("evm_mine");
  for (const [i, who] of wallets.entries()) {
    await raw(who, 0, "registerInstance", [`${i}`]);
    await raw(who, 1, "bindInstance", is.bindArgs(`${i}`, await is.chainOf(who.secret)));
  }
  await request("evm_mine");
  for (const who of wallets.slice(0, 254)) await raw(who, 2, "registerPeer", []);
  await request("evm_mine");
  await request("evm_setAutomine", true);
}

async function all(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1);
  await c.does(chain.account, "setClusterConfig", 1000n, false, 0n);
  const wallets = await Promise.all(Array.from({ length: 255 }, (_, i) => is.wallet(chain, `crowd ${i}`)));
  await crowd(chain, c, wallets);
  const endpoints = await c.reads("getPeerEndpoints");
  assert.equal(endpoints.length, 254);
  assert.equal(new Set(endpoints).size, 254);
  for (let i = 1; i <= 254; i++) assert.ok(endpoints.includes(`10.0.1.${i}`), `${i}`);
  const last = wallets[254];
  await c.refuses("NoAddressFree", last, "registerPeer");
  const ended = await c.does(wallets[99], "deactivateInstance", "99");
  const freed = Number((await chain.client.getBlock({ blockNumber: ended.blockNumber })).timestamp);
  await is.passesTo(chain, freed + REST - 1);
  await c.refuses("NoAddressFree", last, "registerPeer");
  await is.nextAt(chain, freed + REST);
  const receipt = await c.does(last, "registerPeer");
  assert.equal(Number(await c.reads("ipIndex", "254")), 100);
  console.log(`gas of registerPeer() that finds the 100th of 254 addresses: ${receipt.gasUsed}`);
  assert.ok(receipt.gasUsed <= 110_000n);
  const gas = await chain.client.estimateContractGas({ ...c, functionName: "getPeerEndpoints" });
  console.log(`gas of getPeerEndpoints() with 254 members: ${gas}`);
}

async function rest(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1);
  const [a, b, d] = await Promise.all(["rest a", "rest b", "rest d"].map((n) => is.wallet(chain, n)));
  for (const [who, id] of [[a, "a1"], [b, "b2"], [d, "d4"]]) await is.joins(chain, c, who, id);
  await c.does(a, "registerPeer");
  await c.does(a, "registerPeer"); // keeps its address
  await c.does(b, "registerPeer");
  assert.deepEqual(await c.reads("getPeerEndpoints"), ["10.0.1.1", "10.0.1.2"]);
  const t = (await is.now(chain)) + 100;
  await is.nextAt(chain, t);
  await c.does(a, "deactivateInstance", "a1");
  await c.does(d, "registerPeer");
  assert.equal(await c.reads("ipIndex", "d4"), 3n);
  await c.does(a, "registerInstance", "a1");
  await c.does(a, "bindInstance", ...is.bindArgs("a1", await is.chainOf(a.secret)));
  await is.nextAt(chain, t + REST - 1);
  await c.does(a, "registerPeer");
  assert.equal(await c.reads("ipIndex", "a1"), 4n); // its own address rests, too
  await c.does(d, "deactivateInstance", "d4");
  await c.does(d, "registerInstance", "d4");
  await c.does(d, "bindInstance", ...is.bindArgs("d4", await is.chainOf(d.secret)));
  await is.nextAt(chain, t + REST + 1);
  await c.does(d, "registerPeer");
  assert.equal(await c.reads("ipIndex", "d4"), 1n);
}

export async function tests(chain, { ours }) {
  await test("the 255th member finds no address, until one was free for two hours", () => all(chain, ours));
  await test("the smallest free address is given, and a freed one not for two hours", () => rest(chain, ours));
}

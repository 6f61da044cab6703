// What the tests do on the chain: wallets, the KMS's signature chains, contracts, calls that must be refused, time.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { deploy } from "../sdk/anvil.mjs";
import { viem } from "../sdk/libraries.mjs";

const require = createRequire(new URL("../sdk/package.json", import.meta.url));
const { privateKeyToAccount, sign } = require("viem/accounts");
const { secp256k1 } = require("@noble/curves/secp256k1");
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export const key = (name) => viem.keccak256(viem.toHex(name));
const point = (secret, compressed) => viem.toHex(secp256k1.getPublicKey(secret.slice(2), compressed));
export const compressed = (secret) => point(secret, true);
export const xy = (secret) => `0x${point(secret, false).slice(4)}`;
export const addressOf = (secret) => privateKeyToAccount(secret).address;

/** 65 bytes r, s, recovery id 0 or 1: the form of dstack. */
export async function signed(hash, secret) {
  const { r, s, yParity } = await sign({ hash, privateKey: secret });
  return viem.concat([r, s, viem.toHex(yParity, { size: 1 })]);
}
export const withLastByte = (signature, v) => viem.concat([viem.slice(signature, 0, 64), viem.toHex(v, { size: 1 })]);
/** The same signature with its other s. */
export function highS(signature) {
  const s = viem.toHex(ORDER - BigInt(viem.slice(signature, 32, 64)), { size: 32 });
  return viem.concat([viem.slice(signature, 0, 32), s, viem.toHex(Number(viem.slice(signature, 64)) ^ 1, { size: 1 })]);
}

export const KMS = key("kms root");
export const APP_ID = "0xea549f02e1a25fabd1cb788380e033ec5461b2ff";
export const OTHER_APP_ID = "0x2222222222222222222222222222222222222222";
export const APP = key("app");

/** What dstack's GetKey gives: the app key over the derived key, the KMS root over the app key. */
export async function chainOf(derived, { purpose = "kettle-p2p", appId = APP_ID, app = APP, kms = KMS } = {}) {
  const over = viem.toHex(`${purpose}:${compressed(derived).slice(2)}`);
  const issued = viem.concat([viem.toHex("dstack-kms-issued:"), appId, compressed(app)]);
  return {
    derived,
    app,
    appId,
    purpose,
    appSig: await signed(viem.keccak256(over), app),
    kmsSig: await signed(viem.keccak256(issued), kms),
  };
}
export const bindArgs = (id, c) => [id, xy(c.derived), xy(c.app), c.appSig, c.kmsSig, c.appId];
export const peerArgs = (id, c, url) => [
  id,
  compressed(c.derived),
  compressed(c.app),
  c.appSig,
  c.kmsSig,
  url,
  c.purpose,
  viem.pad(c.appId, { dir: "right", size: 32 }),
];

/** A wallet with money whose key is derived from a name. */
export async function wallet(chain, name) {
  const account = privateKeyToAccount(name.startsWith("0x") ? name : key(name));
  await chain.client.request({ method: "anvil_setBalance", params: [account.address, viem.toHex(10n ** 21n)] });
  return Object.assign(account, { secret: name.startsWith("0x") ? name : key(name) });
}

/** Sends a transaction that pays for more gas than any call of these contracts takes; gives its receipt. */
async function send({ client, chain }, as, to, data, value = 0n) {
  const nonce = await client.getTransactionCount({ address: as.address });
  const fees = { type: "eip1559", maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, gas: 2_000_000n };
  const raw = await as.signTransaction({ to, data, value, nonce, chainId: chain.id, ...fees });
  const receipt = await client.waitForTransactionReceipt({ hash: await client.sendRawTransaction({ serializedTransaction: raw }) });
  if (receipt.status !== "success") throw new Error("the transaction failed");
  return receipt;
}

/** A contract with verbs: does (sends, gives the receipt), reads, refuses (fails with that error). */
export function contract(chain, { address, abi }) {
  const at = { address, abi };
  const encode = (functionName, args) => viem.encodeFunctionData({ abi, functionName, args });
  const simulate = (as, functionName, args, value) =>
    chain.client.simulateContract({ ...at, functionName, args, account: as, value });
  return {
    ...at,
    does: (as, name, ...args) => send(chain, as, address, encode(name, args)),
    pays: (as, value, name, ...args) => send(chain, as, address, encode(name, args), value),
    reads: (name, ...args) => chain.client.readContract({ ...at, functionName: name, args }),
    refuses: (error, as, name, ...args) => assertRefused(error, () => simulate(as, name, args)),
    refusesPaid: (error, as, value, name, ...args) => assertRefused(error, () => simulate(as, name, args, value)),
  };
}

export async function assertRefused(expected, run) {
  let said = "nothing refused";
  try {
    await run();
  } catch (error) {
    const revert = error.walk?.((e) => e.name === "ContractFunctionRevertedError");
    if (!revert) throw error;
    said = revert.reason ?? revert.data?.errorName ?? revert.signature ?? "no reason";
  }
  assert.equal(said, expected);
}

export async function deployed(chain, compiled, args) {
  return contract(chain, await deploy(chain, compiled, args));
}

/** The chain has a block of that time; what is read or tried next, sees it. */
export async function passesTo(chain, time) {
  await nextAt(chain, time);
  await chain.client.request({ method: "evm_mine", params: [] });
}
export const now = async ({ client }) => Number((await client.getBlock()).timestamp);
/** The next block has that time. */
export const nextAt = ({ client }, time) =>
  client.request({ method: "evm_setNextBlockTimestamp", params: [viem.toHex(time)] });
/** What a reader is answered in a block of that time. */
export async function readsAt({ client }, { address, abi }, time, functionName, ...args) {
  const data = viem.encodeFunctionData({ abi, functionName, args });
  const params = [{ to: address, data }, "latest", {}, { time: viem.toHex(time) }];
  return viem.decodeFunctionResult({ abi, functionName, data: await client.request({ method: "eth_call", params }) });
}

/** Our contract, its app and a domain allowed; `kind` 0 gateway, 1 WireGuard. */
export async function cluster(chain, compiled, kind, timeout = 0) {
  const c = await deployed(chain, compiled, [addressOf(KMS)]);
  await c.does(chain.account, "setAppAllowed", APP_ID, true);
  await c.does(chain.account, "addBaseDomain", "dstack.example");
  await c.does(chain.account, "setGateway", "dstack.example", "-s");
  await c.does(chain.account, "setNetwork", kind, timeout);
  return c;
}

/** Admits a wallet and registers its instance, bound but not yet listed; gives the receipts. */
export async function joins(chain, c, who, id) {
  const mint = await c.does(chain.account, "mintNodeAccess", who.address, "");
  const instance = await c.does(who, "registerInstance", id);
  const bind = await c.does(who, "bindInstance", ...bindArgs(id, await chainOf(who.secret)));
  return { mint, instance, bind };
}

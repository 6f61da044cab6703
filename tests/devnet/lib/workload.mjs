// Deploys the bench contracts, then keeps sending a mix of transactions. See README.md.
import fs from "node:fs";
import {
  Wallet,
  ContractFactory,
  Contract,
  Interface,
  JsonRpcProvider,
  id,
  keccak256,
  toBeHex,
  getCreateAddress,
  zeroPadValue,
} from "ethers";
import { compile } from "./compile.mjs";
import { DEPLOY_KEYS } from "./accounts.mjs";
const arg = (k, d) => {
  const i = process.argv.indexOf("--" + k);
  return i < 0 ? d : process.argv[i + 1];
};
const url = arg("rpc"),
  dir = arg("dir"),
  rounds = Number(arg("rounds", "0")),
  every = Number(arg("every-ms", "2000"));
let seed = BigInt("0x" + keccak256(Buffer.from(arg("seed", "1"))).slice(2));
const rnd = (n) => {
  seed = (seed * 6364136223846793005n + 1442695040888963407n) & ((1n << 256n) - 1n);
  return Number((seed >> 40n) % BigInt(n));
};
// Each request has its own connection: on a busy machine a kept one is closed by the client just when it is used again.
const rpcRaw = async (method, params) => {
  const r = await (
    await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    })
  ).json();
  if (r.error) throw Object.assign(new Error(method + ": " + r.error.message), r.error);
  return r.result;
};
const chainId = Number(await rpcRaw("eth_chainId", []));
const C = compile(
  (await rpcRaw("eth_getBlockByNumber", ["latest", false])).blobGasUsed === undefined ? "shanghai" : "cancun",
);
const w = DEPLOY_KEYS.map((k) => new Wallet(k)),
  nonce = [];
for (const x of w) nonce.push(Number(await rpcRaw("eth_getTransactionCount", [x.address, "latest"])));
const stats = { sent: 0, rejected: 0, errors: {} };
let fees;
async function refreshFees() {
  const b = await rpcRaw("eth_getBlockByNumber", ["latest", false]);
  fees = { base: BigInt(b.baseFeePerGas ?? 7), number: Number(b.number) };
}
async function send(i, tx, keep = false) {
  const max = fees.base * 4n + 3_000_000_000n,
    tip = 1_000_000_000n + BigInt(rnd(1000)) * 1_000_000n;
  const full = { chainId, nonce: nonce[i], gasLimit: 300000, type: 2, ...tx };
  if (full.type === 2 || full.type === 4) Object.assign(full, { maxFeePerGas: max, maxPriorityFeePerGas: tip });
  else full.gasPrice = max;
  try {
    const h = await rpcRaw("eth_sendRawTransaction", [await w[i].signTransaction(full)]);
    nonce[i]++;
    stats.sent++;
    return h;
  } catch (e) {
    stats.rejected++;
    stats.errors[e.message] = (stats.errors[e.message] ?? 0) + 1;
    if (keep) throw e;
    return null;
  }
}
const receipt = async (h, ms = 60000) => {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const r = await rpcRaw("eth_getTransactionReceipt", [h]).catch(() => null);
    if (r) return r;
    await new Promise((f) => setTimeout(f, 300));
  }
  throw new Error("no receipt for " + h);
};
// All four go out at once: their addresses follow from the nonces.
async function deploy(name, args, value = 0n) {
  const { data } = await new ContractFactory(C[name].abi, C[name].bytecode).getDeployTransaction(...args);
  const at = getCreateAddress({ from: w[0].address, nonce: nonce[0] });
  return { name, at, hash: await send(0, { data, gasLimit: 6_000_000, value }, true) };
}
await refreshFees();
const deployed = {};
deployed.token = await deploy("Token", [10n ** 27n]);
deployed.impl = await deploy("Impl", []);
deployed.proxy = await deploy("Proxy", [deployed.impl.at]);
deployed.probe = await deploy("Probe", [deployed.token.at], 12345n);
const addr = {};
for (const [key, { name, at, hash }] of Object.entries(deployed)) {
  const r = await receipt(hash);
  if (Number(r.status) !== 1) throw new Error(name + " deployment failed");
  console.log(name, at, "block", Number(r.blockNumber));
  addr[key] = at;
}
addr.delegated = "0x7702000000000000000000000000000000007702";
addr.accounts = w.map((x) => x.address);
addr.chain_id = chainId;
const I = Object.fromEntries(Object.entries(C).map(([k, c]) => [k.toLowerCase(), new Interface(c.abi)]));
fs.writeFileSync(
  dir + "/contracts.json",
  JSON.stringify(
    {
      addresses: addr,
      abi: Object.fromEntries(Object.entries(C).map(([k, c]) => [k, c.abi])),
      layout: Object.fromEntries(Object.entries(C).map(([k, c]) => [k, c.layout])),
    },
    null,
    1,
  ),
);
const enc = (c, f, a) => I[c].encodeFunctionData(f, a);
const fresh = () => toBeHex(BigInt(keccak256(toBeHex(seed, 32))) & ((1n << 160n) - 1n), 20);
const jobs = [
  (i) => send(i, { to: addr.token, data: enc("token", "transfer", [fresh(), BigInt(rnd(1e9))]) }),
  (i) =>
    send(i, { to: addr.token, data: enc("token", "approve", [w[(i + 1) % 4].address, BigInt(rnd(1e9))]), type: 0 }),
  (i) => send(i, { to: addr.token, data: enc("token", "burn", [BigInt(1 + rnd(1000))]) }),
  (i) => send(i, { to: addr.probe, data: enc("probe", "poke", [rnd(1000)]) }),
  (i) => send(i, { to: addr.probe, data: enc("probe", "make", [id("salt" + rnd(1e9))]), value: BigInt(rnd(5)) }),
  (i) => send(i, { to: addr.probe, data: enc("probe", "fail", [rnd(4)]), gasLimit: 100000 }),
  (i) => send(i, { to: addr.proxy, data: enc("impl", "bump", [rnd(8)]) }),
  (i) => send(i, { to: fresh(), value: BigInt(1 + rnd(1e9)), gasLimit: 21000 }),
  (i) => send(i, { to: w[i].address, value: 0n, gasLimit: 21000 }),
  (i) =>
    send(i, {
      to: addr.token,
      data: enc("token", "transfer", [fresh(), 1n]),
      type: 1,
      accessList: [{ address: addr.token, storageKeys: [zeroPadValue("0x03", 32)] }],
    }),
  (i) => send(i, { to: addr.probe, data: enc("probe", "createIn", [1 + rnd(3)]), gasLimit: 800000 }),
  (i) => send(i, { to: addr.delegated, data: enc("impl", "bump", [rnd(8)]) }), // EIP-7702 account, runs Impl's code
];
// The first transfers come from account 0, so give the others tokens to burn and move.
for (let i = 1; i < 4; i++)
  await send(0, { to: addr.token, data: enc("token", "transfer", [w[i].address, 10n ** 24n]) });
console.log("deployed; sending");
for (let r = 0, k = 0; rounds === 0 || r < rounds; r++) {
  await refreshFees().catch(() => {});
  for (let j = 1 + rnd(4); j > 0; j--, k++)
    await jobs[k % jobs.length](k % 4).catch((e) => {
      stats.errors[e.message] = (stats.errors[e.message] ?? 0) + 1;
    });
  if (r % 10 === 9) {
    for (let i = 0; i < 4; i++) {
      const n = Number(await rpcRaw("eth_getTransactionCount", [w[i].address, "latest"]).catch(() => nonce[i]));
      if (n > nonce[i] || nonce[i] - n > 8) nonce[i] = n;
    }
    console.log("round", r + 1, JSON.stringify(stats));
  }
  await new Promise((f) => setTimeout(f, every));
}
console.log("done", JSON.stringify(stats));

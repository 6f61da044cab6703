// The state of the contract, and of the published one, as a reader on another machine is shown it: tests/data/members.txt.
import { viem } from "../sdk/libraries.mjs";
import * as is from "./chain.mjs";

const START = 4102444800; // 2100: after any clock on which this runs
const IDS = ["ea549f02e1a25fabd1cb788380e033ec5461b2ff", "0000000000000000000000000000000000000002", "cafe", "9"];

/** Code and slots that a list touches, one a line; then what it answers at a time. */
async function lines(chain, name, c, times, codeOf) {
  const data = viem.encodeFunctionData({ abi: c.abi, functionName: "getPeerEndpoints" });
  const request = (method, ...params) => chain.client.request({ method, params });
  const { accessList } = await request("eth_createAccessList", { to: c.address, data }, "latest");
  const slots = accessList.find(({ address }) => address === c.address.toLowerCase()).storageKeys.sort();
  const code = (await request("eth_getCode", c.address, "latest")).slice(2);
  const out = [`contract ${name}`, codeOf.get(code) ? `code-of ${codeOf.get(code)}` : `code ${code}`];
  codeOf.set(code, codeOf.get(code) ?? name);
  for (const slot of slots) out.push(`slot ${slot.slice(2)} ${(await request("eth_getStorageAt", c.address, slot, "latest")).slice(2)}`);
  for (const time of times) out.push(`at ${time} ${(await is.readsAt(chain, c, time, "getPeerEndpoints")).join(" ")}`.trim());
  return out;
}

export async function fixture(chain, { ours, base }) {
  const out = [];
  const wallets = await Promise.all(IDS.map((_, i) => is.wallet(chain, `fixture ${i}`)));
  const codeOf = new Map(); // which contract had a code first
  let time = START;
  for (const [kind, name] of [[0, "gateway"], [1, "wireguard"]]) {
    const c = await is.cluster(chain, ours, kind, 600);
    for (const [i, id] of IDS.entries()) {
      await is.joins(chain, c, wallets[i], id);
      await is.nextAt(chain, (time += 100));
      await c.does(wallets[i], "registerPeer");
    }
    out.push(...(await lines(chain, name, c, [time, time + 300, time + 301, time + 600, time + 601], codeOf)));
  }
  const old = await is.deployed(chain, base, [is.addressOf(is.KMS)]);
  const urls = ["https://a.example/", "http://localhost:8080", "https://gateway-abc.dstack.example"];
  for (const [i, url] of urls.entries()) {
    await old.does(chain.account, "mintNodeAccess", wallets[i].address, "");
    await old.does(wallets[i], "registerInstance", `i${i}`);
    const seen = await is.chainOf(wallets[i].secret, { purpose: "ethereum" });
    await old.does(wallets[i], "registerPeer", ...is.peerArgs(`i${i}`, seen, url));
  }
  out.push(...(await lines(chain, "published", old, [time + 1000], codeOf)));
  const empty = await is.cluster(chain, ours, 1, 600);
  out.push(...(await lines(chain, "empty", empty, [time + 1000], codeOf)));
  return `${out.join("\n")}\n`;
}

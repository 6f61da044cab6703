// Each attack that the published contract falls to, first on it, then on ours; and the known answer of dstack's KMS on both.
import assert from "node:assert/strict";
import { test } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";
import * as is from "./chain.mjs";

const ZERO = "0x0000000000000000000000000000000000000000";
const SAME = "WrongAppKey WrongKmsRoot"; // an altered message shows as another signer

/** Both contracts with two members, "victim" and "member"; the victim is listed at https://node.example/. */
async function both(chain, { ours, base }) {
  const owner = chain.account;
  const [victim, member, stranger] = await Promise.all(["victim", "member", "stranger"].map((n) => is.wallet(chain, n)));
  const old = await is.deployed(chain, base, [is.addressOf(is.KMS)]);
  const our = await is.deployed(chain, ours, [is.addressOf(is.KMS)]);
  await our.does(owner, "setAppAllowed", is.APP_ID, true);
  await our.does(owner, "addBaseDomain", "example");
  const seen = await is.chainOf(victim.secret, { purpose: "ethereum" });
  for (const c of [old, our]) {
    for (const [who, id] of [[victim, "a1"], [member, "b2"]]) {
      await c.does(owner, "mintNodeAccess", who.address, "");
      await c.does(who, "registerInstance", id);
    }
    await c.does(victim, "registerPeer", ...is.peerArgs("a1", seen, "https://node.example/"));
  }
  return { owner, victim, member, stranger, old, our, seen };
}

async function knownAnswer(chain, { ours, base }) {
  const root = viem.getAddress("0x5e5132f15a9aa4aa91a6bcae35adf34e27a13516");
  const derived = "0x0fabaa987add9a5917c66675cf8b53e7efbf694d0c636015aa7ef7a9f531c9c5";
  const args = (id, url) => [
    id,
    "0x0293dafa7174811a4a6919328534f9757cf2b24cc22a5995be681696bb3c38093d",
    "0x033692466b72f3adbd213bb341ec2540e474ef9d8603d25aa040b3971089e52ce2",
    "0x13ab27cd76d8aaae6d7fd99d3e0c73555134f72948639f15e8e3b711f44dba1f529f4ce681f87cf66843e8dc126be1b38204c03181b35f2b003ba9307a44fc0200",
    "0xac1293336027c6a788da3ecf082cacbfdaceb1a48defaa99e9721504787524234ddeb94ee319b1476bd263d221a3d2f383f66501af0d6c5f0e97d57b15a9c91f01",
    url,
    "ethereum",
    viem.pad("0xea549f02e1a25fabd1cb788380e033ec5461b2ff", { dir: "right", size: 32 }),
  ];
  const sender = await is.wallet(chain, derived);
  for (const compiled of [base, ours]) {
    const c = await is.deployed(chain, compiled, [root]);
    if (compiled === ours) {
      await c.does(chain.account, "setAppAllowed", is.APP_ID, true);
      await c.does(chain.account, "addBaseDomain", "dstack.example");
    }
    await c.does(chain.account, "mintNodeAccess", sender.address, "");
    await c.does(sender, "registerInstance", "cafe");
    await c.does(sender, "registerPeer", ...args("cafe", "https://cafe-s.dstack.example/"));
    assert.deepEqual(await c.reads("getPeerEndpoints"), ["https://cafe-s.dstack.example/"]);
    assert.equal(await c.reads("instanceToConnectionUrl", "cafe"), "https://cafe-s.dstack.example/");
  }
}

/** Every part of a chain altered, one at a time: whom the contract then takes for the signer is another. */
async function everyPart(our, member) {
  const good = await is.chainOf(member.secret);
  const oddApp = await is.chainOf(member.secret, { app: is.key("app of somebody else") });
  const flip = (hex, byte) => {
    const bytes = viem.hexToBytes(hex);
    bytes[byte] ^= 1;
    return viem.bytesToHex(bytes);
  };
  const refused = async (errors, changed) => {
    const args = is.bindArgs("b2", good);
    for (const [at, value] of Object.entries(changed)) args[at] = value;
    let said;
    await is.assertRefused("?", async () => our.refuses("?", member, "bindInstance", ...args)).catch((e) => (said = e.actual));
    assert.ok(errors.split(" ").includes(said), `${Object.keys(changed)}: ${said}`);
  };
  for (let byte = 0; byte < 64; byte++) {
    await refused("WrongSender", { 1: flip(is.xy(member.secret), byte) });
    await refused(SAME, { 2: flip(is.xy(is.APP), byte) });
    await refused(`${SAME} BadSignature`, { 3: flip(good.appSig, byte) });
    await refused(`${SAME} BadSignature`, { 4: flip(good.kmsSig, byte) });
  }
  await refused("WrongAppKey", { 2: is.xy(oddApp.app) });
  await refused("WrongKmsRoot", { 2: is.xy(oddApp.app), 3: oddApp.appSig });
  for (const length of [0, 33, 63, 65]) {
    await refused("BadKey", { 1: viem.toHex(new Uint8Array(length)) });
    await refused("BadKey", { 2: viem.toHex(new Uint8Array(length)) });
  }
  for (const length of [0, 64, 66])
    for (const at of [3, 4]) await refused("BadSignature", { [at]: viem.toHex(new Uint8Array(length)) });
}

export async function tests(chain, compiled) {
  await test("the KMS's known answer is taken by the published contract and by ours", () => knownAnswer(chain, compiled));
  const { owner, victim, member, stranger, old, our, seen } = await both(chain, compiled);
  const evil = "https://evil.example/";
  const forged = { ...(await is.chainOf(stranger.secret, { purpose: "ethereum", app: stranger.secret })), kmsSig: seen.kmsSig };
  const copied = is.peerArgs("a1", forged, evil);
  copied[2] = is.compressed(is.APP); // the app key that the KMS signed; nobody compares it with who signed the derived key
  await test("a stranger overwrites a URL with a copied chain: base yes, ours no", async () => {
    for (const args of [is.peerArgs("a1", seen, evil), copied]) {
      await old.does(stranger, "registerPeer", ...args);
      assert.deepEqual(await old.reads("getPeerEndpoints"), [evil]);
      await our.refuses("NotYourInstance", stranger, "registerPeer", ...args);
    }
    assert.deepEqual(await our.reads("getPeerEndpoints"), ["https://node.example/"]);
  });
  await test("a derived key that another app key signed, with the copied signature of the KMS: base yes, ours no", async () => {
    const args = [...copied];
    args[0] = "b2";
    args[1] = is.compressed(member.secret);
    args[3] = (await is.chainOf(member.secret, { purpose: "ethereum", app: member.secret })).appSig;
    await old.does(member, "registerPeer", ...args);
    await our.refuses("WrongAppKey", member, "registerPeer", ...args);
  });
  await test("a member lists itself with the derived key of another sender: base yes, ours no", async () => {
    await old.does(member, "registerPeer", ...is.peerArgs("b2", seen, evil));
    await our.refuses("WrongSender", member, "registerPeer", ...is.peerArgs("b2", seen, evil));
    const bindable = await is.chainOf(victim.secret);
    await our.refuses("WrongSender", member, "bindInstance", ...is.bindArgs("b2", bindable));
    await our.refuses("NotYourInstance", member, "bindInstance", ...is.bindArgs("a1", await is.chainOf(member.secret)));
  });
  await test("root address zero makes a garbage signature good: base yes, ours cannot have it", async () => {
    const zero = await is.deployed(chain, compiled.base, [ZERO]);
    await zero.does(owner, "mintNodeAccess", victim.address, "");
    await zero.does(victim, "registerInstance", "a1");
    const args = is.peerArgs("a1", seen, "http://evil");
    args[4] = `0x${"ff".repeat(65)}`;
    await zero.does(stranger, "registerPeer", ...args);
    assert.deepEqual(await zero.reads("getPeerEndpoints"), ["http://evil"]);
    const { abi, bytecode } = compiled.ours;
    const creation = viem.encodeDeployData({ abi, bytecode, args: [ZERO] });
    const refusal = await chain.client.call({ data: creation }).catch((e) => e.walk((cause) => cause.data?.slice));
    assert.equal(viem.decodeErrorResult({ abi, data: refusal.data }).errorName, "BadAddress");
    await our.refuses("BadAddress", owner, "setKmsRootAddress", ZERO);
    const ourArgs = is.peerArgs("a1", seen, "https://node.example/");
    ourArgs[4] = args[4];
    await our.refuses("BadSignature", victim, "registerPeer", ...ourArgs);
  });
  await test("a second mint strands the first token: base yes, ours refuses it", async () => {
    await old.does(owner, "mintNodeAccess", victim.address, "");
    await old.refuses("Must own instance", victim, "deactivateInstance", "a1");
    await our.refuses("WalletHasToken", owner, "mintNodeAccess", victim.address, "");
  });
  await test("a transferred token leaves an instance that its registrant cannot end: base yes, ours ends it", async () => {
    await old.does(member, "transferFrom", member.address, stranger.address, 2n);
    assert.deepEqual(await old.reads("getPeerEndpoints"), [evil, evil]);
    await our.refuses("WalletHasToken", member, "transferFrom", member.address, victim.address, 2n);
    const third = await is.wallet(chain, "third");
    await our.does(owner, "mintNodeAccess", third.address, "");
    await our.does(third, "registerInstance", "c3");
    const free = await is.wallet(chain, "free");
    const { logs } = await our.does(third, "transferFrom", third.address, free.address, 3n);
    assert.equal(logs.length, 2);
    assert.equal(await our.reads("activeInstances", "c3"), false);
    assert.equal(await our.reads("walletToTokenId", third.address), 0n);
    assert.equal(await our.reads("walletToTokenId", free.address), 3n);
  });
  await test("another app of the same KMS: base yes, ours no", async () => {
    const other = await is.chainOf(member.secret, { purpose: "ethereum", appId: is.OTHER_APP_ID });
    await old.does(stranger, "registerPeer", ...is.peerArgs("b2", other, evil));
    await our.refuses("AppNotAllowed", member, "registerPeer", ...is.peerArgs("b2", other, evil));
    const bind = await is.chainOf(member.secret, { appId: is.OTHER_APP_ID });
    await our.refuses("AppNotAllowed", member, "bindInstance", ...is.bindArgs("b2", bind));
    await our.refuses("WrongKmsRoot", member, "bindInstance", ...is.bindArgs("b2", { ...bind, appId: is.APP_ID }));
  });
  await test("a key of another purpose: base yes, ours does not bind it", async () => {
    const other = await is.chainOf(member.secret, { purpose: "wallet" });
    await old.does(stranger, "registerPeer", ...is.peerArgs("b2", other, evil));
    await our.refuses("WrongAppKey", member, "bindInstance", ...is.bindArgs("b2", other));
    await our.refuses(
      "WrongAppKey",
      member,
      "registerPeer",
      ...is.peerArgs("b2", { ...other, purpose: "ethereum" }, evil),
    );
  });
  await test("the other s of a signature: base yes, ours no", async () => {
    const good = await is.chainOf(member.secret, { purpose: "ethereum" });
    for (const part of ["appSig", "kmsSig"]) {
      const high = { ...good, [part]: is.highS(good[part]) };
      await old.does(stranger, "registerPeer", ...is.peerArgs("b2", high, evil));
      await our.refuses("BadSignature", member, "registerPeer", ...is.peerArgs("b2", high, evil));
      const bind = await is.chainOf(member.secret);
      await our.refuses(
        "BadSignature",
        member,
        "bindInstance",
        ...is.bindArgs("b2", { ...bind, [part]: is.highS(bind[part]) }),
      );
    }
  });
  await test("recovery ids 0, 1, 27, 28 are taken, all others are not", async () => {
    const good = await is.chainOf(member.secret);
    for (const part of ["appSig", "kmsSig"]) {
      const id = Number(viem.slice(good[part], 64));
      const bind = (v) => is.bindArgs("b2", { ...good, [part]: is.withLastByte(good[part], v) });
      for (const v of [2, 3, 26, 29, 30, 255]) await our.refuses("BadSignature", member, "bindInstance", ...bind(v));
      for (const v of [id ^ 1, 27 + (id ^ 1)]) {
        const said = part === "appSig" ? "WrongAppKey" : "WrongKmsRoot";
        await our.refuses(said, member, "bindInstance", ...bind(v));
      }
      for (const v of [id, 27 + id])
        await chain.client.simulateContract({
          address: our.address,
          abi: our.abi,
          functionName: "bindInstance",
          args: bind(v),
          account: member,
        });
    }
  });
  await test("every byte of keys and signatures, altered, is refused", () => everyPart(our, member));
  await test("a compressed key that is no point, or not 33 bytes, is refused", async () => {
    const args = is.peerArgs("b2", await is.chainOf(member.secret, { purpose: "ethereum" }), evil);
    const x = (n) => viem.concat(["0x02", viem.toHex(n, { size: 32 })]);
    const field = 2n ** 256n - 2n ** 32n - 977n;
    for (const bad of ["0x", x(5n), x(field), x(field + 1n), viem.concat(["0x04", viem.slice(args[2], 1)]), `${args[2]}00`])
      await our.refuses("BadKey", member, "registerPeer", ...args.with(2, bad));
    await our.does(member, "registerPeer", ...args);
  });
  await test("devMode loosens the published form for a token's owner, and never binding", async () => {
    await our.does(owner, "setDevMode", true);
    const other = await is.chainOf(stranger.secret, { purpose: "ethereum", appId: is.OTHER_APP_ID });
    await our.does(member, "registerPeer", ...is.peerArgs("b2", other, "http://localhost:8080"));
    await our.refuses("NotYourInstance", stranger, "registerPeer", ...is.peerArgs("b2", other, evil));
    await our.refuses("WrongAppKey", member, "registerPeer", ...is.peerArgs("b2", { ...other, app: stranger.secret }, evil));
    for (const url of ["", "a b", "a\nb", "é", "a".repeat(254)])
      await our.refuses("Malformed", member, "registerPeer", ...is.peerArgs("b2", other, url));
    const bind = await is.chainOf(member.secret, { appId: is.OTHER_APP_ID });
    await our.refuses("AppNotAllowed", member, "bindInstance", ...is.bindArgs("b2", bind));
    await our.refuses("NotBound", member, "registerPeer");
    await our.does(owner, "setDevMode", false);
  });
  await test("URLs that are not https of one label under an allowed domain are refused", async () => {
    await our.does(owner, "addBaseDomain", "dstack.example");
    const good = await is.chainOf(member.secret, { purpose: "ethereum" });
    const label = "a".repeat(63);
    for (const url of ["https://a.example", "https://a-3032s.dstack.example", `https://${label}.dstack.example/`])
      await our.does(member, "registerPeer", ...is.peerArgs("b2", good, url));
    for (const [error, url] of [
      ["Malformed", "http://a.example/"],
      ["Malformed", "HTTPS://a.example/"],
      ["Malformed", "https://"],
      ["Malformed", "https://a"],
      ["Malformed", "https://.example"],
      ["Malformed", "https://u@a.example"],
      ["Malformed", "https://A.example"],
      ["Malformed", `https://a${label}.example`],
      ["DomainNotAllowed", "https://a."],
      ["DomainNotAllowed", "https://a./"],
      ["DomainNotAllowed", "https://a.b.example"],
      ["DomainNotAllowed", "https://a.example//"],
      ["DomainNotAllowed", "https://a.example/x"],
      ["DomainNotAllowed", "https://a.example:443"],
      ["DomainNotAllowed", "https://a.example?x"],
      ["DomainNotAllowed", "https://a.other"],
      ["DomainNotAllowed", "https://a.Example"],
    ])
      await our.refuses(error, member, "registerPeer", ...is.peerArgs("b2", good, url));
  });
}

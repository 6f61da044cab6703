// KettleVerifier and KettleSigners on anvil, against the same vectors.
import assert from "node:assert/strict";
import { BaseError, decodeAbiParameters, encodeAbiParameters, encodeFunctionData, getAbiItem } from "viem";
import { callAt, deploy, send } from "./anvil.mjs";
import { test, vectors } from "./harness.mjs";
import { mutations } from "./mutations.mjs";
import { callHash } from "../../sdk/js/kettle-verify.mjs";

const MAX64 = (1n << 64n) - 1n;
/** code of a vector: the contract's error. What is altered, or made for another chain, shows as another signer. */
const ERRORS = {
  "wrong-signer": "NotAccepted",
  "wrong-chain": "NotAccepted",
  "wrong-setup": "NotAccepted",
  "wrong-request": "WrongCall",
  "wrong-block": "WrongBlock",
  expired: "Expired",
  "too-old": "TooOld",
  "from-the-future": "FromTheFuture",
  reverted: "Failed",
  halted: "Failed",
  "bad-signature": "BadSignature",
};
const isHash = (block) => typeof block === "string" && block.length === 66;

/** Whether a vector's demands are ones that the contract knows. */
const fits = ({ statement, options, code }) =>
  statement?.type === "CallStatement" &&
  (!code || ERRORS[code]) &&
  options.request &&
  !isHash(options.block) &&
  options.minBlock === undefined &&
  options.minFinality === undefined &&
  statement.signature === statement.signature.toLowerCase() &&
  options.chainId;

function encodeCall({ abi }, statement, options) {
  const at = options.block !== undefined;
  const functionName = `${at ? "verifyAt" : "verifyFresh"}${options.allowRevert ? "AnyStatus" : ""}`;
  const args = [
    statement.message,
    statement.signature,
    BigInt(options.chainId),
    callHash(options.request),
    BigInt(at ? options.block : options.maxAge),
  ];
  return encodeFunctionData({ abi, functionName, args });
}

async function signersTests(chain, compiled) {
  const owner = chain.account.address;
  const [first, second] = ["0x1111111111111111111111111111111111111111", `0x${"33".repeat(32)}`];
  const registry = await deploy(chain, compiled.KettleSigners, [owner]);
  const accepts = (signer, setup) =>
    chain.client.readContract({ ...registry, functionName: "accepts", args: [signer, setup] });
  const refused = (name) => (error) =>
    error instanceof BaseError && error.walk((e) => e.data?.errorName === name) !== null;
  const simulate = (functionName, args, account = owner) =>
    chain.client.simulateContract({ ...registry, functionName, args, account });
  const other = "0x2222222222222222222222222222222222222222";
  await test("solidity: a pair is accepted from when its owner sets it until it is unset, and no other pair with it", async () => {
    assert.equal(await accepts(first, second), false);
    await send(chain, registry, "setPair", [first, second, true]);
    assert.equal(await accepts(first, second), true);
    assert.equal(await accepts(first, `0x${"34".repeat(32)}`), false);
    assert.equal(await accepts(other, second), false);
    await send(chain, registry, "setPair", [first, second, false]);
    assert.equal(await accepts(first, second), false);
  });
  await test("solidity: nobody else sets pairs, and no pair has the signer zero", async () => {
    await assert.rejects(simulate("setPair", [first, second, true], other), refused("NotAllowed"));
    await assert.rejects(simulate("setPair", [`0x${"00".repeat(20)}`, second, true]), refused("ZeroSigner"));
    await assert.rejects(simulate("offerOwnership", [other], other), refused("NotAllowed"));
  });
  await test("solidity: ownership changes when it is taken by whom it was offered to", async () => {
    await assert.rejects(simulate("takeOwnership", [], other), refused("NotAllowed"));
    await send(chain, registry, "offerOwnership", [other]);
    await simulate("setPair", [first, second, true]);
    await assert.rejects(simulate("takeOwnership", [], owner), refused("NotAllowed"));
    await simulate("takeOwnership", [], other);
    await send(chain, registry, "offerOwnership", [owner]);
    await assert.rejects(simulate("takeOwnership", [], other), refused("NotAllowed"));
    await send(chain, registry, "takeOwnership", []);
    assert.equal(await chain.client.readContract({ ...registry, functionName: "owner" }), owner);
    await assert.rejects(simulate("takeOwnership", [], owner), refused("NotAllowed"));
  });
}

async function hashes(chain, verifier) {
  const read = (functionName, args) => chain.client.readContract({ ...verifier, functionName, args });
  const [{ statement, digest }] = vectors.accepted;
  await test("solidity: type hashes, hash of the call and digest of the known answer", async () => {
    assert.equal(await read("CALL_STATEMENT_TYPEHASH"), vectors.typeHashes.CallStatement);
    assert.equal(await read("BLOCK_TYPEHASH"), vectors.typeHashes.Block);
    assert.equal(await read("CALL_TYPEHASH"), vectors.typeHashes.Call);
    assert.equal(await read("hashCall", [statement.message.call]), vectors.known.call);
    assert.equal(await read("digest", [statement.message, 1n]), digest);
  });
  const parameters = [getAbiItem({ abi: verifier.abi, name: "digest" }).inputs[0], { type: "bytes" }];
  for (const {
    name,
    statement: { message, signature },
    abi,
  } of vectors.accepted.filter((vector) => vector.abi))
    await test(`solidity: the gateway's form of ${name}`, () => {
      assert.equal(encodeAbiParameters(parameters, [message, signature]), abi);
      assert.equal(decodeAbiParameters(parameters, abi)[0].result, message.result);
    });
}

/** Another value of the same type. */
function another(value) {
  if (typeof value === "boolean") return !value;
  if (value instanceof Object) return { ...value, number: "1" };
  if (/^0x/.test(value)) return value.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
  return /^\d+$/.test(value) ? "7" : `${value}s`;
}

async function otherDigests(chain, compiled) {
  const digests = await deploy(chain, compiled.KettleDigests, []);
  const read = (functionName, args) => chain.client.readContract({ ...digests, functionName, args });
  const kinds = { LogsStatement: "logsDigest", RpcStatement: "rpcDigest" };
  await test("solidity: type hashes and digests of statements about logs and other answers", async () => {
    assert.equal(await read("LOGS_STATEMENT_TYPEHASH"), vectors.typeHashes.LogsStatement);
    assert.equal(await read("RPC_STATEMENT_TYPEHASH"), vectors.typeHashes.RpcStatement);
    const known = vectors.accepted.filter(({ statement }) => kinds[statement?.type]);
    assert.ok(new Set(known.map(({ statement }) => statement.type)).size === 2);
    for (const { statement, digest } of known) {
      const functionName = kinds[statement.type];
      assert.equal(await read(functionName, [statement.message, 1n]), digest);
      assert.notEqual(await read(functionName, [statement.message, 2n]), digest);
      for (const [member, value] of Object.entries(statement.message)) {
        const other = { ...statement.message, [member]: another(value) };
        assert.notEqual(await read(functionName, [other, 1n]), digest, member);
      }
    }
  });
}

async function everyByte(chain, verifier) {
  const { statement, options } = vectors.accepted.find(({ name }) => name === "a CallStatement");
  let count = 0;
  for (const [member, altered] of mutations(statement)) {
    if (member === "signer") continue; // the contract takes no such word for it
    const { message } = altered;
    const any = {
      ...options,
      request: message.call,
      chainId: altered.domain.chainId,
      allowRevert: true,
      maxAge: MAX64,
    };
    const said = await callAt(chain, verifier, encodeCall(verifier, altered, any), 0n);
    assert.ok(["NotAccepted", "BadSignature", "Failed"].includes(said.error), `${member}: ${said.error}`);
    count++;
    if (member === "domain.chainId") continue; // the caller's word, above
    const narrow = await callAt(chain, verifier, encodeCall(verifier, altered, options), BigInt(options.now));
    assert.ok(narrow.error, `${member}, narrow`);
  }
  console.log(`solidity: ${count} statements with one byte altered: all refused`);
}

async function dirty(chain, verifier) {
  const { statement, options } = vectors.accepted[0];
  const data = encodeCall(verifier, statement, options);
  const call = (bytes) => callAt(chain, verifier, bytes, BigInt(options.now));
  assert.ok((await call(data)).result);
  const head = 2 + 8 + 5 * 64; // the statement begins after the selector and five words
  for (const [word, name] of [
    [0, "number"],
    [3, "timestamp"],
    [5, "finality"],
    [6, "signers"],
    [8, "status"],
    [10, "issuedAt"],
    [11, "validUntil"],
  ]) {
    const at = head + word * 64;
    assert.equal((await call(`${data.slice(0, at)}01${data.slice(at + 2)}`)).error, "nothing", name);
  }
}

export async function contracts(chain, compiled) {
  await test("solidity: every function, event, error and parameter of the contracts is documented", () => {
    for (const name of ["IKettleSigners", "KettleSigners", "KettleVerifier", "IKettleGateway", "KettleReader"]) {
      const { abi, devdoc, userdoc } = compiled[name];
      for (const item of abi) {
        const kind = { function: "methods", event: "events", error: "errors", constructor: "methods" }[item.type];
        const id =
          item.type === "constructor"
            ? "constructor"
            : Object.keys(userdoc[kind] ?? {}).find((key) => key.startsWith(`${item.name}(`));
        assert.ok(id, `${name}.${item.name}`);
        const of = [devdoc[kind]?.[id] ?? {}].flat()[0];
        const named = item.inputs.filter((input) => input.name).map((input) => input.name);
        if (devdoc.stateVariables?.[item.name] === undefined && !(name === "KettleSigners" && item.name === "accepts"))
          for (const input of named) assert.ok(of.params?.[input], `${name}.${item.name}: ${input}`);
      }
    }
  });
  await signersTests(chain, compiled);
  const deployed = new Map();
  const verifierFor = async (signer, setup) => {
    const key = signer + setup;
    if (!deployed.has(key)) {
      const registry = await deploy(chain, compiled.StubSigners, [signer, setup]);
      deployed.set(key, await deploy(chain, compiled.KettleVerifier, [registry.address]));
    }
    return deployed.get(key);
  };
  const run = async ({ statement, options }) => {
    const verifier = await verifierFor((options.signer ?? options.signers[1]).toLowerCase(), options.setup);
    return callAt(chain, verifier, encodeCall(verifier, statement, options), BigInt(options.now));
  };
  const [first] = vectors.accepted;
  const verifier = await verifierFor(first.options.signer, first.options.setup);
  await hashes(chain, verifier);
  await otherDigests(chain, compiled);
  const good = vectors.accepted.filter(fits);
  const bad = vectors.refused.filter(
    (vector) => fits(vector) && vector.name !== "a statement that names another signer",
  );
  assert.ok(good.length >= 9 && bad.length >= 29, `${good.length} and ${bad.length} vectors fit the contract`);
  for (const vector of good)
    await test(`solidity: accepted: ${vector.name}`, async () => {
      const { result, error } = await run(vector);
      assert.equal(error, undefined);
      assert.equal(`0x${result.slice(26)}`, vector.statement.signer);
    });
  for (const vector of bad)
    await test(`solidity: refused as ${ERRORS[vector.code]}: ${vector.name}`, async () =>
      assert.equal((await run(vector)).error, ERRORS[vector.code]));
  await test("solidity: every byte of a call statement, altered, is refused", () => everyByte(chain, verifier));
  await test("solidity: a number with bits beyond its type is refused", () => dirty(chain, verifier));
  await test("solidity: a status that no statement has is refused", async () => {
    const statement = structuredClone(first.statement);
    statement.message.status = 3;
    for (const block of [undefined, statement.message.at.number])
      assert.equal((await run({ statement, options: { ...first.options, block, allowRevert: true } })).error, "Failed");
  });
  await test("solidity: times at the end of 64 bits do not overflow", async () => {
    const late = { ...first.options, maxAge: MAX64 };
    assert.ok((await run({ ...first, options: late })).result);
    const statement = structuredClone(first.statement);
    statement.message.at.timestamp = MAX64.toString();
    assert.equal((await run({ statement, options: late })).error, "NotAccepted");
    assert.equal((await run({ statement, options: first.options })).error, "FromTheFuture");
  });
  await retired(chain, compiled);
  await gas(chain, compiled, verifier);
}

/** A statement bears the time that its signer writes into it: only the list ends what an old key can say. */
async function retired(chain, compiled) {
  await test("solidity: a key whose pair was unset signs nothing more, however it dates back", async () => {
    const { statement, options } = vectors.accepted[0];
    const registry = await deploy(chain, compiled.KettleSigners, [chain.account.address]);
    const verifier = await deploy(chain, compiled.KettleVerifier, [registry.address]);
    const backDated = [options, { ...options, maxAge: undefined, block: statement.message.at.number }];
    const said = (demanded) => callAt(chain, verifier, encodeCall(verifier, statement, demanded), BigInt(options.now));
    await send(chain, registry, "setPair", [options.signer, options.setup, true]);
    for (const demanded of backDated) assert.equal((await said(demanded)).error, undefined);
    await send(chain, registry, "setPair", [options.signer, options.setup, false]);
    for (const demanded of backDated) assert.equal((await said(demanded)).error, "NotAccepted");
  });
}

async function gas(chain, compiled, verifier) {
  await test("solidity: the gas of verifyFresh in a transaction is bounded", async () => {
    const { statement, options } = vectors.accepted[0];
    const registry = await deploy(chain, compiled.KettleSigners, [chain.account.address]);
    await send(chain, registry, "setPair", [options.signer, options.setup, true]);
    const withList = await deploy(chain, compiled.KettleVerifier, [registry.address]);
    const used = {};
    for (const [name, { address }] of Object.entries({ "a list of pairs": withList, "one fixed pair": verifier })) {
      const data = encodeCall(verifier, statement, { ...options, maxAge: MAX64 });
      const from = chain.account.address;
      const time = `0x${options.now.toString(16)}`;
      used[name] = Number(
        await chain.client.request({
          method: "eth_estimateGas",
          params: [{ from, to: address, data }, "latest", {}, { time }],
        }),
      );
    }
    console.log(
      `solidity: verifyFresh as a transaction: ${Object.entries(used)
        .map(([name, n]) => `${n} gas with ${name}`)
        .join(", ")}; ` + `KettleVerifier has ${compiled.KettleVerifier.size} bytes`,
    );
    for (const n of Object.values(used)) assert.ok(n > 30_000 && n < 45_000);
  });
}

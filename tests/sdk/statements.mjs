// The JavaScript verifier against the vectors; viem's and ethers' own verifiers on the same statements; the shipped file itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { verifyTypedData as ethersVerify } from "ethers";
import { hashTypedData, keccak256, toHex, verifyTypedData as viemVerify } from "viem";
import {
  CODES,
  KettleError,
  addressOfKey,
  callHash,
  recoverSigner,
  statementDigest,
  typeString,
  typedData,
  verifyStatement,
} from "../../sdk/js/kettle-verify.mjs";
import { root, test, vectors } from "./harness.mjs";
import { mutations } from "./mutations.mjs";

const SIZE_LIMIT = 192 * 1024;
const refusal = (code) => (error) => error instanceof KettleError && error.code === code;

export async function statements() {
  for (const [type, hash] of Object.entries(vectors.typeHashes))
    await test(`js: the type hash of ${type}`, () => assert.equal(keccak256(toHex(typeString(type))), hash));
  await test("the known answer stands first among the vectors", () => {
    const [{ statement, digest }] = vectors.accepted;
    assert.equal(digest, "0x499b50292fa9ce0b0bf9fd8feccc3d9981c3495fd4affbe30ae195dbf9ec85e7");
    assert.equal(
      statement.signature,
      "0xb536bae0b69c032830ef22dc1c8b12ba1451af97c800e6519c2aa3f9363376874abe811cad3ee4f2d65806dca84062ead280ee2ac9b2e418c0c480460539f8f51b",
    );
    assert.equal(statement.signer, "0x1a642f0e3c3af545e7acbd38b07251b3990914f1");
    assert.equal(
      vectors.typeHashes.CallStatement,
      "0x2c5d28ebd6c8dc7938a5ac319a5118ca55bb7181d018a361ebbee0f411dbed8f",
    );
  });
  await test("js: the address of a public key; what is none is refused", () => {
    const { publicKey, accepted } = vectors;
    assert.equal(addressOfKey(publicKey), accepted[0].statement.signer);
    assert.equal(addressOfKey(publicKey.slice(2).toUpperCase()), accepted[0].statement.signer);
    for (const bad of [
      undefined,
      "",
      publicKey.slice(0, -2),
      `${publicKey}00`,
      `0x04${publicKey.slice(4)}`,
      `0x02${"00".repeat(31)}05`,
      `0x02${"ff".repeat(32)}`,
    ])
      assert.throws(() => addressOfKey(bad), refusal("bad-option"));
  });
  await test("js: the hash of the known call", () =>
    assert.equal(callHash(vectors.accepted[0].options.request), vectors.known.call));
  for (const { name, statement: answer, options, digest } of vectors.accepted) {
    const statement = answer.statement ?? answer;
    await test(`js: accepted: ${name}`, () => {
      for (const form of [answer, JSON.stringify(answer), JSON.stringify(answer, null, 2)]) {
        const { message, result, ...rest } = verifyStatement(form, options);
        assert.deepEqual(result, answer.result);
        assert.deepEqual(rest, {
          type: statement.type,
          chainId: statement.domain.chainId,
          signer: statement.signer,
          digest,
        });
        assert.deepEqual(message, statement.message);
        assert.notEqual(message, statement.message);
      }
      assert.equal(statementDigest(statement), digest);
      assert.equal(recoverSigner(statement), statement.signer);
    });
    await test(`viem and ethers accept: ${name}`, async () => {
      const { domain, types, message } = typedData(statement);
      const plain = { ...typedData(statement), domain: statement.domain, message: statement.message };
      assert.equal(hashTypedData(plain), digest);
      assert.ok(await viemVerify({ ...plain, address: statement.signer, signature: statement.signature }));
      assert.deepEqual([domain, message], [statement.domain, statement.message]);
      assert.equal(
        ethersVerify(statement.domain, types, statement.message, statement.signature).toLowerCase(),
        statement.signer,
      );
    });
  }
  for (const { name, code, text, statement, options } of vectors.refused)
    await test(`js: refused as ${code}: ${name}`, () =>
      assert.throws(() => verifyStatement(text ?? statement, options), refusal(code)));
  await test("js: every code has a vector", () => {
    const seen = new Set(vectors.refused.map(({ code }) => code));
    assert.deepEqual(
      Object.keys(CODES).filter((code) => !code.startsWith("E_") && !seen.has(code)), // of statements
      [],
    );
  });
  await test("js: every byte of every statement, altered, is refused", () => {
    let count = 0;
    for (const { statement, options } of vectors.accepted.slice(0, 7))
      for (const [member, altered] of mutations(statement)) {
        const any = {
          ...options,
          ...(options.request && { request: null }),
          maxAge: null,
          allowRevert: true,
          now: 0,
          chainId: altered.domain.chainId,
        };
        delete any.setup;
        assert.throws(
          () => verifyStatement(altered, any),
          (e) => /^(wrong-signer|bad-signature|bad-value)$/.test(e.code),
          member,
        );
        count++;
      }
    console.log(`js: ${count} statements with one byte altered: all refused`);
  });
  await test("js: an unknown option is refused", () => {
    const { statement, options } = vectors.accepted[0];
    assert.throws(() => verifyStatement(statement, { ...options, maxage: 1 }), refusal("bad-option"));
    assert.throws(() => verifyStatement(statement), refusal("bad-option"));
    for (const name of Object.keys(options).concat("signers", "setup", "type", "minBlock", "minFinality", "block", "allowRevert", "now"))
      assert.throws(() => verifyStatement(statement, { ...options, [name]: undefined }), (e) => e.code === "bad-option" && e.field === name, name);
  });
  await test("js: what cannot be written as JSON is refused", () => {
    const { options } = vectors.accepted[0];
    const circle = {};
    circle.circle = circle;
    for (const input of [undefined, null, 1n, 7, circle, { at: 1n }, () => 0])
      assert.throws(() => verifyStatement(input, options), refusal("malformed"));
  });
  await test("js: a getter that changes its mind is read once", () => {
    const { statement, options } = vectors.accepted[0];
    let reads = 0;
    const sly = {
      ...statement,
      get message() {
        return { ...statement.message, result: reads++ ? "0xff" : statement.message.result };
      },
    };
    assert.equal(verifyStatement(sly, options).message.result, statement.message.result);
  });
  await test("js: foreign names reach no terminal unescaped", () => {
    const { statement, options } = vectors.accepted[0];
    const check = (e) =>
      e.code === "unknown-member" && e.field === "ok\\u{a}\\u{1b}[2J\\u{9b}\\u{202e}" && !/[^ -~]/.test(e.message);
    assert.throws(() => verifyStatement({ ...statement, "ok\n\x1b[2J\x9b\u202e": 1 }, options), check);
  });
  await test("js: this machine's clock counts when no time is given", () => {
    const { statement, options: { now, ...options } } = vectors.accepted[0];
    assert.ok(now);
    assert.throws(() => verifyStatement(statement, options), refusal("expired"));
  });
  await test("the shipped file is what its source builds, imports nothing, and is small", () => {
    execFileSync(process.execPath, [`${root}sdk/js/build.mjs`, "--check"]);
    const shipped = fs.readFileSync(`${root}sdk/js/kettle-verify.mjs`, "utf8");
    assert.ok(!/^\s*import\b|\bimport\(|\brequire\(/m.test(shipped.replace(/\/\*[^]*?\*\//g, "")));
    assert.equal(shipped.match(/The MIT License \(MIT\)/g).length, 2);
    console.log(`js: kettle-verify.mjs has ${shipped.length} bytes of at most ${SIZE_LIMIT}`);
    assert.ok(shipped.length <= SIZE_LIMIT);
  });
  await test("the vectors are what make-vectors.mjs writes", () => {
    const fresh = execFileSync(process.execPath, [`${root}tests/sdk/make-vectors.mjs`, "--print"], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    assert.equal(fresh, fs.readFileSync(`${root}sdk/vectors.json`, "utf8"));
  });
}

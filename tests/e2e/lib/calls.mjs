// Calls to every function of the workload's contracts: {name, call, expect}. expect says how the node's answer relates to the
// execution client's own eth_call: "equal", "refused" (the request itself cannot be carried out, as geth says with -32000),
// or a function (answer, truth) that asserts something weaker, with the reason beside it.
import assert from "node:assert";
import crypto from "node:crypto";
import { AbiCoder, Interface, id } from "ethers";
import { hex } from "./chain.mjs";

const NOBODY = "0x" + "00".repeat(19) + "99";
const word = (n) => hex(n).slice(2).padStart(64, "0");
const bytes = (n) => "0x" + crypto.createHash("shake256", { outputLength: n }).update("calls").digest("hex");

// EIP-196: the generator of G1.
const BN_POINT = word(1) + word(2);

// EIP-2537: generators of G1 and G2, x and y of 64 bytes for each number.
const field = (digits) => digits.padStart(128, "0");
const G1 =
  field("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb") +
  field("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1");
const G2 =
  field("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8") +
  field("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e") +
  field("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801") +
  field("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be");
// EIP-4844: the zero polynomial is zero at zero; its commitment and the proof are infinity.
const KZG_ZERO =
  "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014" +
  word(0).repeat(2) +
  ("c0" + "00".repeat(47)).repeat(2);
const CURVES = {
  0x06: BN_POINT + BN_POINT,
  0x07: BN_POINT + word(3),
  0x08: BN_POINT + word(0).repeat(4),
  0x0a: KZG_ZERO,
  0x0b: G1 + G1,
  0x0c: (G1 + word(1n << 255n)).repeat(3),
  0x0d: G2 + G2,
  0x0e: (G2 + word(1n << 255n)).repeat(2),
  0x0f: (G1 + G2).repeat(2),
  0x10: field("07"),
  0x11: field("07") + field("05"),
};

// ecrecover of a signature made here would need a key; this is the example of the Ethereum wiki's contract tests.
const RECOVER = [
  "0x456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3",
  28,
  "0x9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608",
  "0x4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada",
];
// EIP-152, test vector 5: 12 rounds of "abc".
const BLAKE2F =
  "0x0000000c48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d182e6ad7f520e511f6c3e2b8c68059b6bbd41fb" +
  "abd9831f79217e1319cde05b616263" +
  "00".repeat(125) +
  "0300000000000000000000000000000001";

const precompile = (n) => "0x" + n.toString(16).padStart(40, "0");

// For each function: lists of arguments. An entry may be {args, from, value, gas, expect} instead of a list.
function table({ token, impl, proxy, probe, delegated, accounts }) {
  const [owner, second] = accounts;
  const from = owner;
  const views = (...names) => Object.fromEntries(names.map((name) => [name, [[]]]));
  return {
    Token: {
      ...views("name", "symbol", "motto", "decimals", "totalSupply"),
      balanceOf: [[owner], [second], [NOBODY]],
      allowance: [
        [owner, second],
        [second, owner],
        [NOBODY, NOBODY],
      ],
      transfer: [
        { args: [NOBODY, 5n], from },
        { args: [owner, 0n], from },
        [NOBODY, 1n],
        { args: [NOBODY, 1n << 200n], from },
      ],
      approve: [
        { args: [second, 7n], from },
        { args: [second, 0n], from },
      ],
      transferFrom: [{ args: [owner, second, 0n], from: second }, [owner, second, 1n << 250n]],
      burn: [{ args: [3n], from }, [1n]],
    },
    Impl: {
      counter: [[]],
      at: [[0n], [3n], [1000n]],
      bump: [[1n], { args: [2n], from }],
      sum: [[0n], [8n]],
    },
    Child: { hello: [[]], born: [[]] },
    Probe: {
      ...views("token", "slots", "staticWrite"),
      poke: [[1n], { args: [0n], from }],
      make: [
        [id("a")],
        { args: [id("b")], from, value: 5n },
        { args: [id("c")], from: NOBODY, value: 5n, expect: "refused" },
      ],
      fail: [[0n], [1n], [2n], { args: [3n], gas: 100000n }, { args: [4n], gas: 1000000n }, [5n]],
      absent: [[0n], [77n]],
      viaToken: [[owner], [NOBODY]],
      env: [
        { args: [], expect: sameEnvironment },
        { args: [], from, gas: 1000000n, expect: sameEnvironment },
      ],
      hashes: [[1n], [2n], [100n], [256n], [257n]],
      ext: [[token], [owner], [NOBODY], [delegated], [probe], [proxy], [precompile(1)]],
      reason: [[0n], [1n], [2n], [3n], [4n]],
      caught: [[0n], [1n], [2n], [3n], [4n]],
      transient_: [[42n]],
      mcopy_: [["0x"], [bytes(33)], [bytes(400)]],
      burnGas: [[0n], [300n], { args: [5000n], gas: 100000n }],
      createIn: [[0n], [2n]],
      gasLeft: [{ args: [], gas: 1000000n, expect: intrinsicGasCharged }],
      arith: [
        [7n, 3n, 5n],
        [-7n, 3n, 5n],
        [-(1n << 255n), -1n, 0n],
        [1n, 0n, (1n << 256n) - 1n],
        [(1n << 255n) - 1n, -(1n << 255n), 1n << 255n],
      ],
      pre: [
        ...[1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((p) => [
          [precompile(p), bytes(128)],
          [precompile(p), "0x"],
        ]),
        [precompile(5), "0x" + word(1) + word(1) + word(1) + "030507"],
        [precompile(9), BLAKE2F],
        ...Object.entries(CURVES).flatMap(([p, input]) => [
          [precompile(Number(p)), "0x" + input],
          [precompile(Number(p)), bytes(input.length / 2)],
        ]),
        [NOBODY, bytes(4)],
        [precompile(0x100), bytes(160)], // P256VERIFY begins with Osaka; this chain is at Prague: an empty account
      ],
      recover: [RECOVER, [RECOVER[0], 27, RECOVER[2], RECOVER[3]], [RECOVER[0], 1, RECOVER[2], RECOVER[3]]],
      sha: [["0x"], [bytes(55)], [bytes(200)]],
      modexp: [
        ["0x03", "0x05", "0x07"],
        [bytes(32), bytes(32), bytes(32)],
        ["0x", "0x", "0x"],
        [bytes(100), "0x010001", bytes(128)],
      ],
      pairing: [["0x"], ["0x" + BN_POINT + word(0).repeat(4)]],
      blake2f: [[BLAKE2F], ["0x00"]],
    },
  };
}

// geth, and so the node, shows BASEFEE 0 to a call that names no gas price; this execution client shows the block's.
function sameEnvironment(answer, truth) {
  const BASE_FEE = 6;
  const decode = (r) => [...AbiCoder.defaultAbiCoder().decode(Array(12).fill("uint256"), r.Success)];
  const [mine, theirs] = [decode(answer), decode(truth)];
  assert.strictEqual(mine[BASE_FEE], 0n, "BASEFEE");
  mine[BASE_FEE] = theirs[BASE_FEE];
  assert.deepStrictEqual(mine, theirs);
}

// This execution client does not charge a call the intrinsic gas; geth and the node do.
function intrinsicGasCharged(answer, truth, call) {
  const data = Buffer.from(call.data.slice(2), "hex");
  const intrinsic = data.reduce((sum, byte) => sum + (byte ? 16n : 4n), 21000n);
  assert.strictEqual(BigInt(truth.Success) - BigInt(answer.Success), intrinsic);
}

export function calls({ addresses, abi }, child) {
  const { token, impl, proxy, probe, delegated } = addresses;
  const places = { Token: { token }, Impl: { impl, proxy, delegated }, Child: { child }, Probe: { probe } };
  const rows = table(addresses);
  const list = [];
  for (const [contract, at] of Object.entries(places)) {
    const face = new Interface(abi[contract]);
    face.forEachFunction(({ name }) => {
      assert(rows[contract][name], `no calls for ${contract}.${name}: add them here`);
      for (const [place, to] of Object.entries(at)) {
        for (const row of rows[contract][name]) {
          const { args, from, value, gas, expect = "equal" } = Array.isArray(row) ? { args: row } : row;
          const call = { to, data: face.encodeFunctionData(name, args) };
          if (from) call.from = from;
          if (value !== undefined) call.value = hex(value);
          if (gas !== undefined) call.gas = hex(gas);
          list.push({ name: `${place}.${name}(${args.map(String).join(", ").slice(0, 60)})`, call, expect });
        }
      }
    });
  }
  const [owner] = addresses.accounts;
  return [...list, ...plainCalls(owner, probe)];
}

// Not functions: value transfers, creation, unknown selectors, accounts without code, system contracts.
function plainCalls(owner, probe) {
  const initCode = "0x600a600c600039600a6000f3602a60005260206000f3"; // returns code that returns 42
  const history = "0x0000F90827F1C53a10cb7A02335B175320002935";
  const equal = (name, call) => ({ name, call, expect: "equal" });
  return [
    equal("transfer to nobody", { from: owner, to: NOBODY, value: "0x5" }),
    equal("to an account without code", { to: owner, data: "0x12345678" }),
    equal("to a precompile", { to: precompile(2), data: bytes(64) }),
    equal("receive()", { from: owner, to: probe, value: "0x1" }),
    equal("unknown selector", { to: probe, data: "0xdeadbeef" }),
    equal("no data", { to: probe }),
    equal("creation", { from: owner, data: initCode }),
    equal("creation with code 0xef", { data: "0x60ef60005360016000f3" }),
    equal("EIP-2935 of block 1", { to: history, data: "0x" + word(1) }),
    equal("EIP-2935 of the far future", { to: history, data: "0x" + word(1e9) }),
  ];
}

// An L2 contract reads L1 through unmodified viem and ethers by CCIP-Read: anvil is the L2, the gateway here signs as a node would, or lies.
import assert from "node:assert/strict";
import http from "node:http";
import { Contract, JsonRpcProvider } from "ethers";
import { decodeErrorResult, decodeFunctionData, encodeAbiParameters, getAbiItem } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { typedData } from "../../sdk/js/kettle-verify.mjs";
import { deploy, send } from "./anvil.mjs";
import { test, vectors } from "./harness.mjs";

const L1 = 1;
const SETUP = `0x${"33".repeat(32)}`;
const node = privateKeyToAccount(vectors.key);
const stranger = privateKeyToAccount(`0x${"02".repeat(32)}`);
const HEAD = 22_168_277;
const call = {
  from: `0x${"00".repeat(20)}`,
  to: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
  value: 0n,
  gas: 0n,
  data: "0x18160ddd",
  overrides: `0x${"00".repeat(32)}`,
};
const RESULT = `0x${"00".repeat(31)}2a`;
const [LATEST, FINALIZED, BY_NUMBER] = [0, 2, 3];

/** What an honest node says to a request at that time; `lie` alters it before it is signed. */
async function answer(args, now, lie) {
  const [asked, rule, number] = args;
  const plain = Object.fromEntries(
    Object.entries(asked).map(([name, value]) => [
      name,
      typeof value === "bigint" ? String(value) : value.toLowerCase(),
    ]),
  );
  const [setup, hash] = [SETUP, `0x${"11".repeat(32)}`];
  const at = {
    number: String(rule === BY_NUMBER ? number : HEAD),
    hash,
    stateRoot: hash,
    timestamp: String(now),
    slot: "11382000",
    finality: rule % BY_NUMBER,
    signers: 508,
  };
  const message = {
    at,
    call: plain,
    status: 1,
    result: RESULT,
    issuedAt: String(now),
    validUntil: String(now + 120),
    setup,
  };
  const statement = {
    type: "CallStatement",
    domain: { name: "Kettle", version: "1", chainId: L1 },
    message,
    signature: `0x${"00".repeat(65)}`,
    signer: node.address.toLowerCase(),
  };
  const key = lie?.(statement) ?? node;
  return { message, signature: await key.signTypedData(typedData(statement)) };
}

/** GET /v1/ccip/{sender}/{data}.json */
async function startGateway(compiled, clock) {
  const gateway = { lie: undefined, asked: [] };
  const { abi } = compiled.IKettleGateway;
  const server = http.createServer(async (request, response) => {
    const reply = (status, body) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    try {
      const [, sender, data] = /^\/v1\/ccip\/(0x[0-9a-f]{40})\/(0x[0-9a-f]*)\.json$/.exec(request.url);
      const { args } = decodeFunctionData({ abi, data });
      gateway.asked.push({ sender, args });
      const { message, signature } = await answer(args, await clock(), gateway.lie);
      reply(200, {
        data: encodeAbiParameters(getAbiItem({ abi, name: "callStatement" }).outputs, [message, signature]),
      });
    } catch (error) {
      reply(400, { message: String(error) });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  gateway.url = `http://127.0.0.1:${server.address().port}/v1/ccip/{sender}/{data}.json`;
  gateway.stop = () => server.closeAllConnections() ?? server.close();
  return gateway;
}

/** The contract's error in what a library threw: its data stands somewhere among the causes. */
function contractError(error, abi) {
  for (let e = error; e; e = e.cause ?? e.error) {
    const data = [e.data, e.data?.data, e.info?.error?.data].find((d) => typeof d === "string" && d.length >= 10);
    if (data) return decodeErrorResult({ abi, data }).errorName;
  }
  throw error;
}

const LIES = {
  WrongCall: [
    [
      "another call",
      (s) => {
        s.message.call.data = "0x313ce567";
      },
    ],
    [
      "another contract",
      (s) => {
        s.message.call.to = `0x${"22".repeat(20)}`;
      },
    ],
  ],
  BlockTooLow: [
    [
      "a block below the lowest accepted",
      (s) => {
        s.message.at.number = String(HEAD - 11);
      },
    ],
  ],
  TooOld: [
    [
      "an older block",
      (s) => {
        s.message.at.timestamp = String(s.message.at.timestamp - 1000);
      },
    ],
  ],
  FromTheFuture: [
    [
      "a block of the future",
      (s) => {
        s.message.at.timestamp = String(+s.message.at.timestamp + 1000);
      },
    ],
  ],
  Expired: [
    [
      "a statement past its time",
      (s) => {
        s.message.validUntil = String(s.message.validUntil - 1000);
      },
    ],
  ],
  NotAccepted: [
    [
      "another chain",
      (s) => {
        s.domain.chainId = 10;
      },
    ],
    ["a key that is not accepted", () => stranger],
  ],
  WrongSetup: [
    [
      "another setup",
      (s) => {
        s.message.setup = `0x${"34".repeat(32)}`;
      },
    ],
  ],
  Failed: [
    [
      "a revert",
      (s) => {
        s.message.status = 0;
      },
    ],
    [
      "a halt",
      (s) => {
        s.message.status = 2;
        s.message.result = "0x";
      },
    ],
  ],
};

export async function ccip(chain, compiled) {
  const clock = async () => Number((await chain.client.getBlock()).timestamp);
  const gateway = await startGateway(compiled, clock);
  try {
    const registry = await deploy(chain, compiled.KettleSigners, [chain.account.address]);
    await send(chain, registry, "setPair", [node.address, SETUP, true]);
    const verifier = await deploy(chain, compiled.KettleVerifier, [registry.address]);
    const reader = await deploy(chain, compiled.KettleReader, [verifier.address, BigInt(L1), SETUP, [gateway.url]]);
    await readings(chain, gateway, registry, reader, [...reader.abi, ...verifier.abi]);
  } finally {
    gateway.stop();
  }
}

async function readings(chain, gateway, registry, reader, errors) {
  const provider = new JsonRpcProvider(chain.url, undefined, { staticNetwork: true, cacheTimeout: -1 });
  const contract = new Contract(reader.address, reader.abi, provider);
  const libraries = {
    viem: (args) => chain.client.readContract({ ...reader, functionName: "read", args }),
    ethers: (args) => contract.read(...args, { enableCcipRead: true }),
  };
  const refusal = (name) => (error) => assert.equal(contractError(error, errors), name) ?? true;
  const fresh = [call, LATEST, BigInt(HEAD - 10), 120n];
  for (const [library, read] of Object.entries(libraries)) {
    gateway.lie = undefined;
    for (const [name, args] of [
      ["latest", fresh],
      ["finalized", [call, FINALIZED, 0n, 1500n]],
      ["by number", [call, BY_NUMBER, 22_000_000n, 0n]],
    ])
      await test(`ccip: ${library} reads through the gateway: ${name}`, async () => {
        gateway.asked = [];
        assert.equal(await read(args), RESULT);
        assert.equal(gateway.asked.length, 1);
        assert.equal(gateway.asked[0].sender, reader.address.toLowerCase());
        assert.equal(gateway.asked[0].args[0].data, call.data);
        assert.deepEqual(gateway.asked[0].args.slice(1), [args[1], args[2]]);
      });
    for (const [error, lies] of Object.entries(LIES))
      for (const [name, lie] of lies)
        await test(`ccip: ${library} is refused (${error}) when the gateway answers ${name}`, async () => {
          gateway.lie = lie;
          await assert.rejects(read(fresh), refusal(error));
        });
    await test(`ccip: ${library} is refused when the gateway answers another block, or a less final one, than asked for`, async () => {
      gateway.lie = (s) => {
        s.message.at.number = "22000001";
      };
      await assert.rejects(read([call, BY_NUMBER, 22_000_000n, 0n]), refusal("WrongBlock"));
      gateway.lie = (s) => {
        s.message.at.finality = 1;
      };
      await assert.rejects(read([call, FINALIZED, 0n, 1500n]), refusal("NotFinal"));
    });
    await test(`ccip: ${library} is refused a rule that is none`, async () => {
      gateway.lie = undefined;
      await assert.rejects(read([call, 4, 0n, 0n]), refusal("UnknownRule"));
    });
    await test(`ccip: ${library} is refused from when the owner no longer accepts the pair`, async () => {
      await send(chain, registry, "setPair", [node.address, SETUP, false]);
      await assert.rejects(read(fresh), refusal("NotAccepted"));
      await send(chain, registry, "setPair", [node.address, SETUP, true]);
      assert.equal(await read(fresh), RESULT);
    });
  }
  provider.destroy();
}

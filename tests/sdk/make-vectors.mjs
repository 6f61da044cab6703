// Writes sdk/vectors.json: statements signed by viem, and what verifiers must say of them and of spoilt ones.
//   node make-vectors.mjs           writes it        node make-vectors.mjs --print   prints it
import fs from "node:fs";
import { encodeAbiParameters, hashDomain, hashStruct, hashTypedData, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const KEY = `0x${"01".repeat(32)}`;
const OTHER_KEY = `0x${"02".repeat(32)}`;
const account = privateKeyToAccount(KEY);
const signer = account.address.toLowerCase();
const other = privateKeyToAccount(OTHER_KEY).address.toLowerCase();
const bytes32 = (byte) => `0x${byte.repeat(32)}`;
const fields = (text) => text.split(",").map((field) => ({ type: field.split(" ")[0], name: field.split(" ")[1] }));
const SEAL = "uint64 issuedAt,uint64 validUntil,bytes32 setup";
const TYPES = {
  Block: fields(
    "uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers",
  ),
  Call: fields("address from,address to,uint256 value,uint64 gas,bytes data,bytes32 overrides"),
  CallStatement: fields(`Block at,Call call,uint8 status,bytes result,${SEAL}`),
  BlockStatement: fields(`Block at,${SEAL}`),
  AccountStatement: fields(
    `Block at,address account,uint64 nonce,uint256 balance,bytes32 codeHash,bytes32 storageRoot,${SEAL}`,
  ),
  StorageStatement: fields(`Block at,address account,bytes32 slot,bytes32 value,${SEAL}`),
  CheckpointStatement: fields(`uint64 slot,bytes32 root,bytes32 stateRoot,${SEAL}`),
  LogsStatement: fields(`Block to,uint64 fromNumber,bytes32 filterHash,bytes32 logsHash,uint32 count,bool complete,${SEAL}`),
  RpcStatement: fields(`Block at,string method,bytes32 paramsHash,bytes32 resultHash,${SEAL}`),
};
const DOMAIN = { name: "Kettle", version: "1", chainId: 1 };
const USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";

const at = {
  number: "22168277",
  hash: bytes32("11"),
  stateRoot: bytes32("22"),
  timestamp: "1743500000",
  slot: "11382000",
  finality: 1,
  signers: 508,
};
const seal = { issuedAt: "1743500012", validUntil: "1743500300", setup: bytes32("33") };
const call = {
  from: `0x${"00".repeat(20)}`,
  to: USDC,
  value: "0",
  gas: "0",
  data: "0x18160ddd",
  overrides: bytes32("00"),
};
// What is hashed as JSON: the canonical text is written by hand.
const hashText = (text) => keccak256(toHex(text));
const TX = bytes32("ab");
const filter = { topics: [bytes32("0d"), null, [bytes32("0e"), bytes32("0f")]], address: USDC };
const filterText = `{"address":"${USDC}","topics":["${bytes32("0d")}",null,["${bytes32("0e")}","${bytes32("0f")}"]]}`;
const logs = [{ topics: [bytes32("0d")], removed: false, address: USDC, logIndex: "0x1" }];
const logsText = `[{"address":"${USDC}","logIndex":"0x1","removed":false,"topics":["${bytes32("0d")}"]}]`;
const receipt = { transactionHash: TX, status: "0x1", contractAddress: null, logs: [] };
const receiptText = `{"contractAddress":null,"logs":[],"status":"0x1","transactionHash":"${TX}"}`;
const messages = {
  CallStatement: { at, call, status: 1, result: `0x${"00".repeat(31)}2a`, ...seal },
  BlockStatement: { at, ...seal },
  AccountStatement: {
    at,
    account: USDC,
    nonce: "18446744073709551615",
    balance: ((1n << 256n) - 1n).toString(),
    codeHash: bytes32("44"),
    storageRoot: bytes32("55"),
    ...seal,
  },
  StorageStatement: { at, account: USDC, slot: bytes32("06"), value: `0x${"00".repeat(30)}1234`, ...seal },
  CheckpointStatement: { slot: "11381984", root: bytes32("66"), stateRoot: bytes32("77"), ...seal },
  LogsStatement: {
    to: at,
    fromNumber: "22168270",
    filterHash: hashText(filterText),
    logsHash: hashText(logsText),
    count: 1,
    complete: true,
    ...seal,
  },
  RpcStatement: {
    at,
    method: "eth_getTransactionReceipt",
    paramsHash: hashText(`["${TX}"]`),
    resultHash: hashText(receiptText),
    ...seal,
  },
};

const typed = (type, domain, message) => ({
  domain,
  primaryType: type,
  message,
  types: Object.fromEntries(
    [type, ...TYPES[type].map((f) => f.type)].filter((name) => TYPES[name]).map((name) => [name, TYPES[name]]),
  ),
});

async function sign(type, message, domain = DOMAIN, key = KEY) {
  const by = privateKeyToAccount(key);
  return {
    type,
    domain,
    message,
    signature: await by.signTypedData(typed(type, domain, message)),
    signer: by.address.toLowerCase(),
  };
}

const now = 1743500100;
const base = { signer, chainId: 1, now, maxAge: 120 };
const requests = {
  CallStatement: { to: USDC, data: "0x18160ddd" },
  AccountStatement: { account: USDC },
  StorageStatement: { account: USDC, slot: bytes32("06") },
  LogsStatement: { fromBlock: 22168270, ...filter },
  RpcStatement: { method: "eth_getTransactionReceipt", params: [TX] },
};
const optionsFor = (type) => ({ ...base, setup: seal.setup, ...(requests[type] && { request: requests[type] }) });
const good = Object.fromEntries(
  await Promise.all(Object.keys(messages).map(async (type) => [type, await sign(type, messages[type])])),
);
const callOptions = optionsFor("CallStatement");
const called = good.CallStatement;
const edited = (edit, statement = called) => {
  const copy = structuredClone(statement);
  edit(copy);
  return copy;
};

const accepted = Object.keys(good).map((type) => ({
  name: `a ${type}`,
  statement: good[type],
  options: optionsFor(type),
}));
const accept = (name, statement, options) => accepted.push({ name, statement, options });
const refused = [];
const refuse = (name, code, statement, options = callOptions) =>
  refused.push({ name, code, ...(typeof statement === "string" ? { text: statement } : { statement }), options });

// ---- calls as they may be
const reverted = await sign("CallStatement", { ...messages.CallStatement, status: 0, result: "0x08c379a0" });
const halted = await sign("CallStatement", { ...messages.CallStatement, status: 2, result: "0x" });
const full = {
  from: other,
  to: USDC,
  value: ((1n << 256n) - 1n).toString(),
  gas: "18446744073709551615",
  data: `0x${"ab".repeat(133)}`,
  overrides: bytes32("99"),
};
const fullCall = await sign("CallStatement", { ...messages.CallStatement, call: full, result: "0x" });
accept("a call with every member of its request", fullCall, { ...callOptions, request: full });
accept("a revert when asked for", reverted, { ...callOptions, allowRevert: true });
// ---- answers that have a result beside the statement
const withResult = (statement, result) => ({ statement, result });
const logsOptions = optionsFor("LogsStatement");
const rpcOptions = optionsFor("RpcStatement");
accept("logs with the statement of them", withResult(good.LogsStatement, logs), logsOptions);
accept("a receipt with the statement of it", withResult(good.RpcStatement, receipt), rpcOptions);
const noLogs = await sign("LogsStatement", {
  ...messages.LogsStatement,
  filterHash: hashText("{}"),
  logsHash: hashText("[]"),
  count: 0,
});
accept("no logs at all", withResult(noLogs, []), { ...logsOptions, request: { fromBlock: "0x15242ce", address: null } });
accept("logs up to a block of that number", good.LogsStatement, { ...logsOptions, maxAge: undefined, block: 22168277 });
for (const [name, more] of Object.entries({
  "another first block": { fromBlock: 22168271 },
  "another address": { address: other },
  "no topics": { topics: undefined },
  "topics in another order": { topics: [...filter.topics].reverse() },
}))
  refuse(`logs for a request with ${name}`, "wrong-request", good.LogsStatement, {
    ...logsOptions,
    request: { ...logsOptions.request, ...more },
  });
refuse("a receipt for another transaction", "wrong-request", good.RpcStatement, {
  ...rpcOptions,
  request: { ...rpcOptions.request, params: [bytes32("ac")] },
});
refuse("a receipt for another method", "wrong-request", good.RpcStatement, {
  ...rpcOptions,
  request: { ...rpcOptions.request, method: "eth_getTransactionByHash" },
});
refuse("a receipt in place of logs", "wrong-type", good.RpcStatement, { ...logsOptions, type: "LogsStatement" });
refuse("logs up to another block", "wrong-block", good.LogsStatement, { ...logsOptions, block: 22168276 });
refuse("no request for logs", "bad-option", good.LogsStatement, { ...logsOptions, request: undefined });
refuse("a request for logs with a number in it", "bad-option", good.LogsStatement, {
  ...logsOptions,
  request: { fromBlock: 22168270, topics: [1] },
});
refuse("logs of which one is missing", "wrong-result", withResult(good.LogsStatement, []), logsOptions);
refuse("logs of which one is there twice", "wrong-result", withResult(good.LogsStatement, [...logs, ...logs]), logsOptions);
refuse(
  "logs of which one is another",
  "wrong-result",
  withResult(good.LogsStatement, [{ ...logs[0], logIndex: "0x2" }]),
  logsOptions,
);
refuse("a count that is not that of the logs", "wrong-result", withResult(await sign("LogsStatement", { ...messages.LogsStatement, count: 2 }), logs), logsOptions);
refuse("another receipt", "wrong-result", withResult(good.RpcStatement, { ...receipt, status: "0x0" }), rpcOptions);
refuse("no receipt", "wrong-result", withResult(good.RpcStatement, null), rpcOptions);
refuse("a receipt with a number in it", "bad-value", withResult(good.RpcStatement, { ...receipt, status: 1 }), rpcOptions);
refuse("a result beside what has none", "unknown-member", withResult(called, null));
refuse("a statement without the result", "missing-member", { statement: good.RpcStatement }, rpcOptions);
refuse("a third member beside a result", "unknown-member", { ...withResult(good.RpcStatement, receipt), note: "x" }, rpcOptions);
refuse("a result given twice", "malformed", `{"statement":${JSON.stringify(good.RpcStatement)},"result":null,"result":${receiptText}}`, rpcOptions);
refuse("a statement that is a list", "bad-value", withResult([], receipt), rpcOptions);
for (const [name, value] of Object.entries({ "incomplete logs": false, "completeness as a number": 1 }))
  refuse(
    name,
    "bad-value",
    edited((s) => {
      s.message.complete = value;
    }, good.LogsStatement),
    logsOptions,
  );
refuse(
  "a method that is not plain",
  "bad-value",
  edited((s) => {
    s.message.method = "eth call";
  }, good.RpcStatement),
  rpcOptions,
);
refuse(
  "a method without a name",
  "bad-value",
  edited((s) => {
    s.message.method = "";
  }, good.RpcStatement),
  rpcOptions,
);

// ---- overrides: the canonical JSON is written by hand
const state = { [other]: { nonce: "0x5" }, [USDC]: { stateDiff: { [bytes32("02")]: bytes32("0a") }, code: "0x6001", balance: "0x1" } };
const block = { time: "0x67ebb2e0", number: "0x1" };
const overridesText =
  `{"blockOverride":{"number":"0x1","time":"0x67ebb2e0"},"stateOverride":{` +
  `"${other}":{"nonce":"0x5"},` +
  `"${USDC}":{"balance":"0x1","code":"0x6001","stateDiff":{"${bytes32("02")}":"${bytes32("0a")}"}}}}`;
const under = (text) => sign("CallStatement", { ...messages.CallStatement, call: { ...call, overrides: keccak256(toHex(text)) } });
const overridden = await under(overridesText);
const stateOnly = await under(`{"stateOverride":{}}`);
const asking = (more) => ({ ...callOptions, request: { ...callOptions.request, ...more } });
accept("a call under overrides", overridden, asking({ stateOverride: state, blockOverride: block }));
accept("a call under overrides that are given by their hash", overridden, asking({ overrides: overridden.message.call.overrides }));
accept(
  "a call under overrides that are given with their hash",
  overridden,
  asking({ stateOverride: state, blockOverride: block, overrides: overridden.message.call.overrides }),
);
accept("a call under an empty state override", stateOnly, asking({ stateOverride: {}, blockOverride: null }));
refuse("a call under overrides for one without", "wrong-request", overridden);
refuse("a call without overrides for one with an empty one", "wrong-request", called, asking({ stateOverride: {} }));
refuse("a call under overrides for other ones", "wrong-request", overridden, asking({ stateOverride: state }));
refuse(
  "a call under overrides for ones spelled otherwise",
  "wrong-request",
  overridden,
  asking({ stateOverride: state, blockOverride: { ...block, number: "0x01" } }),
);
for (const [name, more] of Object.entries({
  "overrides that are a list": { stateOverride: [] },
  "overrides that are a text": { blockOverride: "0x1" },
  "overrides with a number": { blockOverride: { number: 1 } },
  "overrides with a name that is not plain": { blockOverride: { "num ber": "0x1" } },
  "overrides with a text that is not plain": { blockOverride: { number: "0x1\n" } },
  "overrides with an empty text": { blockOverride: { number: "" } },
  "overrides that are too deep": { stateOverride: { a: { a: { a: { a: { a: { a: { a: { a: {} } } } } } } } } },
  "overrides beside another hash": { stateOverride: state, blockOverride: block, overrides: bytes32("00") },
}))
  refuse(name, "bad-option", overridden, asking(more));
const named = { ...callOptions, maxAge: undefined, block: 22168277 };
accept("a revert on a named block when asked for", reverted, { ...named, allowRevert: true });
refuse("a revert on a named block", "reverted", reverted, named);
refuse("a halt on a named block", "halted", halted, named);
accept("a halt when asked for", halted, { ...callOptions, allowRevert: true });
accept("a success when reverts are accepted too", called, { ...callOptions, allowRevert: true });
accept("the same block by number, at any age", called, {
  ...callOptions,
  maxAge: undefined,
  block: "22168277",
  now: 1743500300,
});
accept("the same block by hash", called, { ...callOptions, maxAge: undefined, block: at.hash });
accept("a block of the lowest number accepted", called, { ...callOptions, minBlock: 22168277 });
accept("a block of the least finality accepted", called, { ...callOptions, minFinality: "safe" });
accept("the last second of validUntil", called, { ...callOptions, maxAge: 300, now: 1743500300 });
accept("the last second of maxAge", called, { ...callOptions, now: 1743500120 });
accept("a block as far ahead as maxAge", called, { ...callOptions, now: 1743499880 });
accept("one of several signers", called, { ...callOptions, signer: undefined, signers: [other, signer] });
accept("a signer and a request in capital letters", called, {
  ...callOptions,
  signer: account.address,
  request: { to: USDC.toUpperCase().replace("0X", "0x"), data: "0x18160DDD" },
});
accept("the answer to any request when asked for", called, { ...callOptions, request: null });
accept(
  "another chain's statement for that chain",
  await sign("CallStatement", messages.CallStatement, { ...DOMAIN, chainId: 9007199254740991 }),
  {
    ...callOptions,
    chainId: "9007199254740991",
  },
);

// ---- replays
refuse("a replay for another chain", "wrong-chain", called, { ...callOptions, chainId: 10 });
refuse(
  "a statement relabelled for another chain",
  "wrong-signer",
  edited((s) => {
    s.domain.chainId = 10;
  }),
  { ...callOptions, chainId: 10 },
);
refuse("a replay for another block number", "wrong-block", called, {
  ...callOptions,
  maxAge: undefined,
  block: 22168278,
});
refuse("a replay for another block hash", "wrong-block", called, {
  ...callOptions,
  maxAge: undefined,
  block: bytes32("12"),
});
refuse("a block below the minimum", "block-too-low", called, { ...callOptions, minBlock: 22168278 });
refuse("a block that is not final enough", "not-final", called, { ...callOptions, minFinality: "finalized" });
for (const [member, value] of Object.entries({
  to: other,
  data: "0x18160dde",
  from: other,
  value: 1,
  gas: 1,
  overrides: bytes32("01"),
}))
  refuse(`a replay for a request with another ${member}`, "wrong-request", called, {
    ...callOptions,
    request: { ...callOptions.request, [member]: value },
  });
refuse("a replay for another account", "wrong-request", good.AccountStatement, {
  ...optionsFor("AccountStatement"),
  request: { account: other },
});
refuse("a replay for another slot", "wrong-request", good.StorageStatement, {
  ...optionsFor("StorageStatement"),
  request: { account: USDC, slot: bytes32("07") },
});
refuse("a replay under another signer", "wrong-signer", called, { ...callOptions, signer: other });
refuse(
  "a statement signed by another key",
  "wrong-signer",
  await sign("CallStatement", messages.CallStatement, DOMAIN, OTHER_KEY),
);
refuse(
  "a statement that names another signer",
  "wrong-signer",
  edited((s) => {
    s.signer = other;
  }),
);
refuse("a replay under another setup", "wrong-setup", called, { ...callOptions, setup: bytes32("34") });
refuse("a replay after validUntil", "expired", called, { ...callOptions, maxAge: 400, now: 1743500301 });
refuse("a replay of a named block after validUntil", "expired", called, {
  ...callOptions,
  maxAge: undefined,
  block: 22168277,
  now: 1743500301,
});
refuse("a block older than maxAge", "too-old", called, { ...callOptions, now: 1743500121 });
refuse("a block further ahead than maxAge", "from-the-future", called, { ...callOptions, now: 1743499879 });
refuse("a checkpoint issued before maxAge", "too-old", good.CheckpointStatement, {
  ...optionsFor("CheckpointStatement"),
  now: 1743500133,
});
refuse("a revert", "reverted", reverted);
refuse("a halt", "halted", halted);
refuse(
  "a revert relabelled as success",
  "wrong-signer",
  edited((s) => {
    s.message.status = 1;
  }, reverted),
);
refuse("a block in place of a call", "wrong-type", good.BlockStatement);
refuse("an account in place of a call", "wrong-type", good.AccountStatement, optionsFor("StorageStatement"));
refuse("another type than demanded", "wrong-type", good.AccountStatement, {
  ...optionsFor("AccountStatement"),
  type: "BlockStatement",
});

// ---- signatures
const r = called.signature.slice(2, 66);
const s = called.signature.slice(66, 130);
const v = called.signature.slice(130);
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const highS = (order - BigInt(`0x${s}`)).toString(16).padStart(64, "0");
const signed = (signature) =>
  edited((statement) => {
    statement.signature = signature;
  });
refuse("the other s", "bad-signature", signed(`0x${r}${highS}${v === "1b" ? "1c" : "1b"}`));
refuse("v 0", "bad-signature", signed(`0x${r}${s}00`));
refuse("v 29", "bad-signature", signed(`0x${r}${s}1d`));
refuse("the other v", "wrong-signer", signed(`0x${r}${s}${v === "1b" ? "1c" : "1b"}`));
refuse("r 0", "bad-signature", signed(`0x${"00".repeat(32)}${s}${v}`));
refuse("s 0", "bad-signature", signed(`0x${r}${"00".repeat(32)}${v}`));
refuse("r of the curve's order", "bad-signature", signed(`0x${order.toString(16)}${s}${v}`));
refuse("r that is no point's x", "bad-signature", signed(`0x${"00".repeat(31)}05${s}${v}`));
refuse("a signature of 64 bytes", "bad-signature", signed(`0x${r}${s}`));
refuse("a signature of 66 bytes", "bad-signature", signed(`${called.signature}00`));
refuse("a signature in capital letters", "bad-signature", signed(called.signature.toUpperCase().replace("0X", "0x")));

// ---- form
refuse("no JSON", "malformed", "{");
refuse("a list", "malformed", "[]");
refuse("null", "malformed", "null");
const text = JSON.stringify(called);
refuse("a member given twice", "malformed", text.replace('"status":1', '"status":0,"status":1'));
refuse("an escaped member", "malformed", text.replace('"status"', '"st\\u0061tus"'));
refuse("a number with an exponent", "malformed", text.replace('"signers":508', '"signers":5.08e2'));
refuse(
  "an unknown type",
  "unknown-type",
  edited((statement) => {
    statement.type = "TransferStatement";
  }),
);
refuse(
  "a struct in place of a statement",
  "unknown-type",
  edited((statement) => {
    statement.type = "Block";
  }),
);
refuse(
  "another name",
  "wrong-domain",
  edited((statement) => {
    statement.domain.name = "kettle";
  }),
);
refuse(
  "another version",
  "wrong-domain",
  edited((statement) => {
    statement.domain.version = "2";
  }),
);
refuse(
  "a domain with another member",
  "unknown-member",
  edited((statement) => {
    statement.domain.salt = bytes32("00");
  }),
);
refuse(
  "a chain id as text",
  "bad-value",
  edited((statement) => {
    statement.domain.chainId = "1";
  }),
);
refuse(
  "chain id 0",
  "bad-value",
  edited((statement) => {
    statement.domain.chainId = 0;
  }),
);
refuse(
  "an unknown member",
  "unknown-member",
  edited((statement) => {
    statement.note = "x";
  }),
);
refuse(
  "an unknown member of the message",
  "unknown-member",
  edited((statement) => {
    statement.message.note = "x";
  }),
);
refuse(
  "an unknown member of the block",
  "unknown-member",
  edited((statement) => {
    statement.message.at.note = "x";
  }),
);
for (const member of ["type", "domain", "message", "signature", "signer"])
  refuse(
    `no ${member}`,
    "missing-member",
    edited((statement) => {
      delete statement[member];
    }),
  );
for (const member of Object.keys(called.message))
  refuse(
    `no ${member} in the message`,
    "missing-member",
    edited((statement) => {
      delete statement.message[member];
    }),
  );
refuse(
  "a message that is a list",
  "bad-value",
  edited((statement) => {
    statement.message = [];
  }),
);
refuse(
  "a block that is null",
  "bad-value",
  edited((statement) => {
    statement.message.at = null;
  }),
);
const spoil = (name, member, value) =>
  refuse(
    name,
    "bad-value",
    edited((statement) => {
      const path = member.split(".");
      const last = path.pop();
      path.reduce((object, key) => object[key], statement.message)[last] = value;
    }),
  );
spoil("a uint64 as a number", "at.number", 22168277);
spoil("a uint64 in hex", "at.number", "0x1524315");
spoil("a uint64 with a zero in front", "at.number", "022168277");
spoil("a uint64 with a sign", "at.number", "+22168277");
spoil("a uint64 with white space", "at.number", "22168277 ");
spoil("an empty uint64", "at.number", "");
spoil("a uint64 of 65 bits", "at.number", "18446744073709551616");
spoil("a uint256 of 257 bits", "call.value", (1n << 256n).toString());
spoil("a uint8 as text", "status", "1");
spoil("a uint8 that is a boolean", "status", true);
spoil("a status that no statement has", "status", 3);
spoil("a finality that no block has", "at.finality", 3);
spoil("a uint16 of 17 bits", "at.signers", 65536);
spoil("a number below zero", "at.signers", -1);
spoil("a fraction", "at.signers", 1.5);
spoil("bytes32 of 31 bytes", "setup", bytes32("33").slice(0, 64));
spoil("bytes32 of 33 bytes", "setup", `${bytes32("33")}33`);
spoil("bytes32 in capital letters", "at.hash", bytes32("AA"));
spoil("bytes32 without 0x", "at.hash", bytes32("11").slice(2));
spoil("bytes of half a byte", "result", "0x1");
spoil("bytes that are no hex", "result", "0xzz");
spoil("bytes with a newline after them", "result", "0x00\n");
spoil("an address with capital letters", "call.to", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
spoil("an address of 19 bytes", "call.to", USDC.slice(0, 40));
refuse(
  "a signer with capital letters",
  "bad-value",
  edited((statement) => {
    statement.signer = account.address;
  }),
);

// ---- callers
const option = (name, options) => refuse(name, "bad-option", called, options);
option("no signer", { ...callOptions, signer: undefined });
option("signer and signers", { ...callOptions, signers: [signer] });
option("an empty list of signers", { ...callOptions, signer: undefined, signers: [] });
option("a signer that is no address", { ...callOptions, signer: "0x12" });
option("no chain id", { ...callOptions, chainId: undefined });
option("no request for a call", { ...callOptions, request: undefined });
option("a request without to", { ...callOptions, request: { data: "0x" } });
option("a request with an unknown member", { ...callOptions, request: { ...callOptions.request, input: "0x" } });
option("neither maxAge nor block", { ...callOptions, maxAge: undefined });
option("a maxAge below zero", { ...callOptions, maxAge: -1 });
option("a finality that is none", { ...callOptions, minFinality: "final" });
option("a setup of 31 bytes", { ...callOptions, setup: bytes32("33").slice(0, 64) });
refuse("a block demanded of a checkpoint", "bad-option", good.CheckpointStatement, {
  ...optionsFor("CheckpointStatement"),
  block: 1,
});
refuse("a checkpoint without maxAge", "bad-option", good.CheckpointStatement, {
  ...optionsFor("CheckpointStatement"),
  maxAge: undefined,
});

const typeText = (type) => {
  const used = ["Block", "Call"].filter((name) => TYPES[type].some((field) => field.type === name));
  return [type, ...used]
    .map((name) => `${name}(${TYPES[name].map((field) => `${field.type} ${field.name}`).join(",")})`)
    .join("");
};
const known = {
  domainSeparator: hashDomain({
    domain: DOMAIN,
    types: { EIP712Domain: fields("string name,string version,uint256 chainId") },
  }),
  block: hashStruct({ data: at, primaryType: "Block", types: TYPES }),
  call: hashStruct({ data: call, primaryType: "Call", types: TYPES }),
  statement: hashStruct({ data: messages.CallStatement, primaryType: "CallStatement", types: TYPES }),
};
for (const vector of accepted) {
  const signed = vector.statement.statement ?? vector.statement;
  vector.digest = hashTypedData(typed(signed.type, signed.domain, signed.message));
  if (vector.statement.type !== "CallStatement") continue;
  const { types, message } = typed("CallStatement", DOMAIN, vector.statement.message);
  const components = (name) =>
    types[name].map((f) => (types[f.type] ? { name: f.name, type: "tuple", components: components(f.type) } : f));
  vector.abi = encodeAbiParameters(
    [{ type: "tuple", components: components("CallStatement") }, { type: "bytes" }],
    [message, vector.statement.signature],
  );
}
const file = `${JSON.stringify(
  {
    about:
      "Statements signed with `key` by viem, what verifiers make of them, and spoilt ones with the code of their refusal. `text`: JSON as it came. " +
      "`abi`: abi.encode(statement, signature), as the CCIP-Read gateway answers. Written by tests/sdk/make-vectors.mjs.",
    key: KEY,
    publicKey: `0x0${2 + (parseInt(account.publicKey.at(-1), 16) & 1)}${account.publicKey.slice(4, 68)}`,
    typeHashes: Object.fromEntries(Object.keys(TYPES).map((type) => [type, keccak256(toHex(typeText(type)))])),
    known,
    accepted,
    refused,
  },
  null,
  1,
)}\n`;
if (process.argv[2] === "--print") process.stdout.write(file);
else fs.writeFileSync(new URL("../../sdk/vectors.json", import.meta.url), file);

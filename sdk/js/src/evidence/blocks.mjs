// ---- the execution chain's headers, blocks, receipts and transactions; lightclient/exec has the same

const HEADER_MAX = 1024;
const BLOCK_MAX = 10 << 20;
const RECEIPT_MAX = 8 << 20;
const RECEIPTS_MAX = 32768;
const BLOOM_LEN = 256;
const BLOB_GAS = 131072n;
const HALF_N = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const HEADER_FIXED = [
  ["parentHash", 32], ["ommersHash", 32], ["coinbase", 20], ["stateRoot", 32], ["transactionsRoot", 32], ["receiptsRoot", 32],
  ["logsBloom", BLOOM_LEN], ["difficulty", "n32"], ["number", "n8"], ["gasLimit", "n8"], ["gasUsed", "n8"], ["timestamp", "n8"],
  ["extraData", "extra"], ["mixHash", 32], ["nonce", 8],
];
const HEADER_TAIL = [
  ["baseFee", "n32"], ["withdrawalsRoot", 32], ["blobGasUsed", "n8"], ["excessBlobGas", "n8"], ["parentBeaconRoot", 32], ["requestsHash", 32],
  ["blockAccessListHash", 32], ["slotNumber", "n8"],
];

function headerField(item, form) {
  if (form === "extra") return rlpString(item).length <= EXTRA_DATA_MAX ? item.payload : malformed("extra data");
  return typeof form === "number" ? rlpFixed(item, form) : rlpNumber(item, Number(form.slice(1)));
}

/** A header, with its hash and how many of the optional fields it has. */
function decodeExecutionHeader(bytes) {
  if (bytes.length > HEADER_MAX) malformed("too long");
  const fields = [...HEADER_FIXED, ...HEADER_TAIL];
  const items = rlpList(rlpOf(bytes), fields.length);
  const tail = items.length - HEADER_FIXED.length;
  if (!TAILS.includes(tail)) malformed("no header has so many fields");
  const h = { hash: keccak256(bytes), tail, baseFee: 0n, blobGasUsed: 0n, excessBlobGas: 0n };
  for (const [i, item] of items.entries()) h[fields[i][0]] = headerField(item, fields[i][1]);
  return h;
}

/** That the blobs, and of a header the fields, are what the network's schedule has at its time. */
function blobsFit(net, { blobGasUsed, timestamp }) {
  return blobGasUsed / BLOB_GAS <= rulesAt(net, timestamp).blobs.max;
}
const headerFits = (net, header) => header.tail === EXECUTION[rulesAt(net, header.timestamp).fork].tail && blobsFit(net, header);

function decodeWithdrawal(item) {
  const [index, validator, address, amount, ...more] = rlpList(item, 4);
  if (!amount || more.length) malformed("no withdrawal");
  for (const number of [index, validator, amount]) rlpNumber(number, 8);
  rlpFixed(address, 20);
  return item.whole;
}

/** A block: its header, transactions as they are hashed, withdrawals. */
function decodeBlock(bytes) {
  if (bytes.length > BLOCK_MAX) malformed("too long");
  const [header, transactions, ommers, withdrawals] = rlpList(rlpOf(bytes), 4);
  if (!ommers || !header.list || !ommers.list || ommers.payload.length) malformed("no block, or one with ommers");
  const transaction = (item) => {
    if (!item.list && (item.payload.length === 0 || item.payload[0] >= 0x80)) malformed("transaction is no envelope");
    return item.list ? item.whole : item.payload;
  };
  return {
    header: decodeExecutionHeader(header.whole),
    transactions: rlpList(transactions).map(transaction),
    withdrawals: withdrawals && rlpList(withdrawals).map(decodeWithdrawal),
  };
}

/** Whether a body is the one that its header names. */
function bodyHolds({ header, transactions, withdrawals }) {
  if (!same(listRoot(transactions), header.transactionsRoot)) return false;
  if (!withdrawals) return header.tail < 2;
  return header.withdrawalsRoot !== undefined && same(listRoot(withdrawals), header.withdrawalsRoot);
}

// ---- receipts

function bloomBits(bytes) {
  const hash = keccak256(bytes);
  return [0, 2, 4].map((i) => ((hash[i] << 8) | hash[i + 1]) & 2047);
}
const bloomHas = (bloom, bytes) => bloomBits(bytes).every((bit) => (bloom[BLOOM_LEN - 1 - (bit >> 3)] >> (bit & 7)) & 1);

function bloomOf(logs) {
  const bloom = new Uint8Array(BLOOM_LEN);
  for (const { address, topics } of logs)
    for (const bit of [address, ...topics].flatMap(bloomBits)) bloom[BLOOM_LEN - 1 - (bit >> 3)] |= 1 << (bit & 7);
  return bloom;
}

function decodeLog(item) {
  const [address, topics, data, ...more] = rlpList(item, 3);
  if (!data || more.length) malformed("no log");
  return { address: rlpFixed(address, 20), topics: rlpList(topics, 4).map((topic) => rlpFixed(topic, 32)), data: rlpString(data) };
}

/** The type byte of an envelope (0: there is none), and the list behind it. */
function openEnvelope(raw) {
  const typed = raw.length > 0 && raw[0] < 0x80;
  if (typed && (raw[0] === 0 || raw[0] > 4)) malformed("unknown type");
  return { type: typed ? raw[0] : 0, list: rlpOf(typed ? raw.subarray(1) : raw) };
}

function decodeReceipt(raw) {
  if (raw.length > RECEIPT_MAX) malformed("too long");
  const { type, list } = openEnvelope(raw);
  const [status, gas, bloom, logs, ...more] = rlpList(list, 4);
  if (!logs || more.length) malformed("no receipt");
  const r = { type, cumulativeGas: rlpNumber(gas, 8), bloom: rlpFixed(bloom, BLOOM_LEN), logs: rlpList(logs).map(decodeLog) };
  if (rlpString(status).length === 32) r.root = status.payload;
  else r.status = rlpNumber(status, 8);
  if (r.status > 1n) malformed("no status");
  return same(bloomOf(r.logs), r.bloom) ? r : malformed("the bloom is not that of the logs");
}

/** The receipts of a block, each of which is right, and all of which have its bloom. */
function decodeReceipts(raw, header) {
  const all = raw.map(decodeReceipt);
  const bloom = new Uint8Array(BLOOM_LEN);
  for (const receipt of all) for (let i = 0; i < BLOOM_LEN; i++) bloom[i] |= receipt.bloom[i];
  return same(bloom, header.logsBloom) ? all : malformed("the receipts have another bloom than the header says");
}

// ---- transactions

const TRANSACTION_FIELDS = [9, 11, 12, 14, 13];
const PRICES = [1, 1, 2, 2, 2];

function checkAccessList(item) {
  for (const entry of rlpList(item)) {
    const [address, keys, ...more] = rlpList(entry, 2);
    if (!keys || more.length) malformed("no access list entry");
    rlpFixed(address, 20);
    for (const key of rlpList(keys)) rlpFixed(key, 32);
  }
}

function checkAuthorizations(item) {
  for (const tuple of rlpList(item)) {
    const f = rlpList(tuple, 6);
    if (f.length !== 6 || rlpNumber(f[3], 8) > 255n) malformed("no authorization");
    rlpNumber(f[0], 32);
    rlpFixed(f[1], 20);
    rlpNumber(f[2], 8);
    for (const number of f.slice(4)) rlpNumber(number, 32);
  }
}

/** Who signed: fields are the items before the signature. */
function senderOf(type, fields, [v, r, s], chainId) {
  const [vNumber, rNumber, sNumber] = [v, r, s].map((item) => rlpNumber(item, 32));
  const legacy = type === 0;
  const anyChain = legacy && (vNumber === 27n || vNumber === 28n);
  const parity = anyChain ? vNumber - 27n : legacy ? vNumber - (35n + 2n * chainId) : vNumber;
  if (parity !== 0n && parity !== 1n) malformed("signed for another chain");
  const tail = legacy && !anyChain ? [putNumber(chainId), putNumber(0n), putNumber(0n)] : [];
  const unsigned = putList(...fields.map((item) => item.whole), ...tail);
  if (!rNumber || !sNumber || sNumber > HALF_N) malformed("nobody signed it");
  let key;
  try {
    key = recover(keccak256(legacy ? unsigned : join([type], unsigned)), join(numberBytes(rNumber, 32), numberBytes(sNumber, 32)), Number(parity));
  } catch {
    malformed("nobody signed it");
  }
  return keccak256(key.subarray(1)).subarray(12);
}

/** A transaction of a chain, as far as its receipt needs it. */
function decodeTransaction(raw, chainId) {
  const { type, list } = openEnvelope(raw);
  const f = rlpList(list, 14);
  if (f.length !== TRANSACTION_FIELDS[type]) malformed("another number of fields");
  const prices = PRICES[type];
  const common = type ? f.slice(1) : f;
  const [to, value, data] = common.slice(2 + prices);
  const t = { type, hash: keccak256(raw), nonce: rlpNumber(common[0], 8), fees: common.slice(1, 1 + prices).map((fee) => rlpNumber(fee, 32)) };
  rlpNumber(common[1 + prices], 8);
  if (rlpString(to).length) t.to = rlpFixed(to, 20);
  rlpNumber(value, 32);
  rlpString(data);
  if (type) checkAccessList(f[6 + prices]);
  if (type === 3) {
    rlpNumber(f[9], 32);
    t.blobs = rlpList(f[10]).map((hash) => rlpFixed(hash, 32)).length;
  }
  if (type === 4) checkAuthorizations(f[9]);
  if (type && rlpNumber(f[0], 32) !== chainId) malformed("signed for another chain");
  t.from = senderOf(type, f.slice(0, -3), f.slice(-3), chainId);
  return t;
}

function gasPriceOf({ type, fees }, baseFee) {
  if (type < 2) return fees[0];
  const [tip, most] = fees;
  return baseFee + tip > most ? most : baseFee + tip;
}

/** EIP-4844's fake exponential. */
function blobBaseFee({ fraction }, excess) {
  if (!fraction) return 0n;
  if (excess / fraction >= 130n) return 2n ** 256n - 1n;
  let sum = 0n;
  for (let i = 1n, term = fraction; term; i++) {
    sum += term;
    term = (term * excess) / (i * fraction);
  }
  return sum / fraction;
}

// ---- as eth_getLogs and eth_getTransactionReceipt answer

const logObject = ({ address, topics, data }, header, txHash, txIndex, logIndex) => ({
  address: hexOf(address),
  topics: topics.map(hexOf),
  data: hexOf(data),
  blockNumber: quantity(header.number),
  transactionHash: hexOf(txHash),
  transactionIndex: quantity(txIndex),
  blockHash: hexOf(header.hash),
  blockTimestamp: quantity(header.timestamp),
  logIndex: quantity(logIndex),
  removed: false,
});

function receiptObject(net, { header, transactions }, receipts, i) {
  const r = receipts[i];
  const t = decodeTransaction(transactions[i], net.chainId);
  const before = receipts.slice(0, i);
  const firstLog = before.reduce((n, { logs }) => n + logs.length, 0);
  return {
    blockHash: hexOf(header.hash),
    blockNumber: quantity(header.number),
    transactionHash: hexOf(t.hash),
    transactionIndex: quantity(i),
    from: hexOf(t.from),
    to: t.to ? hexOf(t.to) : null,
    contractAddress: t.to ? null : hexOf(keccak256(putList(putBytes(t.from), putNumber(t.nonce))).subarray(12)),
    cumulativeGasUsed: quantity(r.cumulativeGas),
    effectiveGasPrice: quantity(gasPriceOf(t, header.baseFee)),
    gasUsed: quantity(BigInt.asUintN(64, r.cumulativeGas - (before.at(-1)?.cumulativeGas ?? 0n))),
    logsBloom: hexOf(r.bloom),
    ...(r.root ? { root: hexOf(r.root) } : { status: quantity(r.status) }),
    type: quantity(r.type),
    ...(r.type === 3 && {
      blobGasUsed: quantity(BigInt(t.blobs ?? 0) * BLOB_GAS),
      blobGasPrice: quantity(t.type === 3 ? blobBaseFee(rulesAt(net, header.timestamp).blobs, header.excessBlobGas) : 0n),
    }),
    logs: r.logs.map((log, k) => logObject(log, header, t.hash, i, firstLog + k)),
  };
}

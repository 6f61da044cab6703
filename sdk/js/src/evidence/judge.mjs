// ---- judging: node/query/{retrace,retrace_heads,statements}.c have the same

const CALL = "CallStatement";
const CHECKPOINT = "CheckpointStatement";
const LOGS = "LogsStatement";
const RPC = "RpcStatement";
const HASH_LEN = 32;
const DIGEST_LEN = 4;
const FINAL = 2;
const RECEIPT_METHOD = "eth_getTransactionReceipt";

/** The cluster statement that a statement names: chain, network, rules of answering. */
function checkSetup(net, { setup, answer: { statement } }) {
  const text = utf8(canonical(setup));
  if (toHex(sha256(text)) !== statement.message.setup) refuseGround("wrong-setup", "setup");
  let cluster;
  try {
    const place = new Place(setup, { code: "wrong-setup", strict: true, places: [] });
    cluster = readCluster(place);
    place.done();
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    refuseGround("wrong-setup", "setup", error.message);
  }
  if (cluster.chainId !== statement.domain.chainId) refuseGround("wrong-setup", "setup", "of another chain");
  const { digest, forksUntil, genesisValidatorsRoot } = cluster.network;
  if (networkDigest(net, BigInt(forksUntil)) !== digest || toHex(net.genesisRoot) !== genesisValidatorsRoot)
    refuseGround("wrong-network", "setup.network");
  if (BigInt(cluster.chainId) !== net.chainId) refuseGround("wrong-network", "setup.chain_id");
  return cluster;
}

/** Of a request that has a form the canonical text; undefined: it has none. */
function plainText(value) {
  try {
    return internals.plainJson(plainOf(value), "malformed", "request", 9);
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return undefined;
  }
}

/** Maps as objects; numbers stay bigints, which nothing plain has. */
function plainOf(value) {
  if (value instanceof Map) return Object.assign(Object.create(null), Object.fromEntries([...value].map(([name, one]) => [name, plainOf(one)])));
  return Array.isArray(value) ? value.map(plainOf) : value;
}

/** What a statement names by a hash alone must be the request that stands there; where it names nothing there is none. */
function readRequest({ request, answer: { statement } }) {
  const { type, message } = statement;
  const text = request === undefined ? undefined : canonical(request);
  const is = (hash) => toHex(keccak256(utf8(text ?? ""))) === hash;
  if (type === CALL) return text === undefined ? allZero(fromHex(message.call.overrides)) : is(message.call.overrides);
  if (type === LOGS) {
    if (!(request instanceof Map) || plainText(request) !== text || !is(message.filterHash)) return false;
    if ([...request].some(([name, value]) => value === null || !["address", "topics"].includes(name))) return false;
    try {
      return { filter: readFilter(request) };
    } catch (error) {
      if (!(error instanceof NoSuchForm)) throw error;
      return false;
    }
  }
  if (type !== RPC) return text === undefined;
  const txHash = Array.isArray(request) && request.length === 1 ? bytesFrom(request[0]) : undefined;
  return txHash?.length === HASH_LEN && request[0] === hexOf(txHash) && is(message.paramsHash) && message.method === RECEIPT_METHOD && { txHash };
}

// ---- heads

/** The fork and the SSZ of an object. */
function readObject(net, object, read) {
  const fork = object.length < DIGEST_LEN ? undefined : forkOfDigest(net, object.subarray(0, DIGEST_LEN));
  return fork === undefined ? malformed("no digest of this network") : read(net, fork, object.subarray(DIGEST_LEN));
}
const readUpdateObject = (net, object, kind) => readObject(net, object, (n, fork, bytes) => decodeUpdate(n, fork, kind, bytes));

/** A head that an object shows: its attested or its finalized header. */
function showHead(store, u, finalized, currentSlot) {
  const { attestedRoot, finalizedRoot } = checkUpdate(store, u, currentSlot);
  if (!isSupermajority(store.net, u.participants)) malformed("less than 2/3 of the sync committee signed it");
  if (finalized && !u.finalized) malformed("it has no finalized header");
  const header = finalized ? u.finalized : u.attested;
  if (forkAt(store.net, epochOf(store.net, header.slot)) < CAPELLA) malformed("it is of before Capella, and shows no execution block");
  return { header, root: finalized ? finalizedRoot : attestedRoot, participants: u.participants };
}

function applyUpdate(store, updates, i, period, currentSlot) {
  const field = `consensus.updates[${i}]`;
  if (i >= updates.length) refuseGround("missing-update", field);
  readingAs("bad-update", field, () => {
    const u = readUpdateObject(store.net, updates[i], "update");
    if (periodOf(store.net, u.attested.slot) !== period) malformed("it is of another period");
    processUpdate(store, u, currentSlot);
    if (!store.next) malformed("it does not show the next committee");
  });
}

/** From the checkpoint to the heads of a file: {head, finality}. */
function findHeads(net, { consensus: c }, checkpoint, maxAge, currentSlot) {
  if (!c.bootstrap) refuseGround("no-bootstrap", "consensus.bootstrap");
  const store = readingAs("bad-bootstrap", "consensus.bootstrap", () => newStore(net, checkpoint, readObject(net, c.bootstrap, decodeBootstrap)));
  const head = readingAs("bad-head", "consensus.head.object", () => readUpdateObject(net, c.head, c.kind));
  const finality = c.finality && readingAs("bad-finality", "consensus.finality", () => readUpdateObject(net, c.finality, "finality"));
  const age = slotStart(net, head.signatureSlot) - slotStart(net, store.finalizedSlot);
  if (age > checkpointBound(net, maxAge)) refuseGround("old-checkpoint", "consensus.bootstrap");
  const periods = [head, finality].map((u) => u && periodOf(net, u.signatureSlot));
  const first = periodOf(net, store.finalizedSlot);
  const last = periods[1] > periods[0] ? periods[1] : periods[0];
  if (last >= first && BigInt(c.updates.length) > last - first) refuseGround("unused-update", "consensus.updates");
  const found = {};
  for (let period = first; period <= last; period++) {
    if (periods[0] === period)
      found.head = readingAs("bad-head", "consensus.head.object", () => showHead(store, head, c.finalized, currentSlot));
    if (periods[1] === period)
      found.finality = readingAs("bad-finality", "consensus.finality", () => showHead(store, finality, true, currentSlot));
    if (period < last) applyUpdate(store, c.updates, Number(period - first), period, currentSlot);
  }
  if (!found.head) refuseGround("bad-head", "consensus.head.object", "it is older than the checkpoint");
  if (c.finality && !found.finality) refuseGround("bad-finality", "consensus.finality", "it is older than the checkpoint");
  return found;
}

/** Finality that is claimed has to be shown, and what is shown has to be claimed. */
function checkFinalityOf({ consensus: c, answer: { statement } }, { finality }) {
  const block = statement.message.at ?? statement.message.to;
  const claimed = block !== undefined && block.finality !== 0;
  if (claimed && !c.finalized && !finality) refuseGround("no-finality", "consensus.finality");
  if (finality && (c.finalized || !claimed)) refuseGround("unused-finality", "consensus.finality");
}

// ---- the elements

function loadStock(file) {
  const stock = new Stock();
  const each = (name, list, code, add, ordered) => {
    for (const [i, one] of list.entries())
      readingAs(code, `${name}[${i}]`, () => {
        if (ordered && i && compareBytes(list[i - 1], one) >= 0) malformed("out of order");
        add(one);
      });
  };
  each("headers", file.headers, "bad-header", (bytes) => stock.addHeader(bytes));
  each("blocks", file.blocks, "bad-block", (bytes) => stock.addBlock(bytes));
  each("receipts", file.receipts, "bad-receipts", (list) => stock.addReceipts(list));
  each("witness.state", file.nodes, "bad-node", (bytes) => stock.addNode(bytes), true);
  each("witness.codes", file.codes, "bad-code", (bytes) => stock.addCode(bytes), true);
  return stock;
}

/** The execution block of a head: from the object, or of a form by hash alone from the file. known: heads whose block is there already. */
function blockOfHead(net, stock, { header }, code, known) {
  const x = header.execution;
  const borrowed = known && same(known.hash, x.hash) ? known : undefined;
  const whole = borrowed ?? (header.byHash ? undefined : x);
  if (whole) return blobsFit(net, whole) ? whole : refuseGround(code, "consensus", "more blobs than this network's schedule has");
  const found = stock.header(x.hash);
  const start = slotStart(net, header.slot) / 1000n;
  if (found.timestamp > start) refuseGround(code, "headers", "the execution block is newer than the beacon block that builds on it");
  if (found.tail > 7 && (found.slotNumber >= header.slot || found.timestamp !== slotStart(net, found.slotNumber) / 1000n))
    refuseGround(code, "headers", "the execution block's slot is not that of its time");
  return headerFits(net, found) ? found : refuseGround(code, "headers", "it is not as this network's schedule has it");
}

// ---- what follows

/** The block that the statement names, as the head or an ancestor of it. */
function blockOfStatement(stock, head, hash) {
  if (same(hash, head.hash)) return head;
  return ancestorOf(stock, head, hash) ?? notRun("the block is none that can be proven");
}

const EMPTY_HASH = `0x${"00".repeat(32)}`;

/** Members of a message beside its block and its seal. `asked`: what the request has. */
const ANSWERS = {
  AccountStatement: (stock, block, { account }) => {
    const { account: a } = stock.prove(block.stateRoot, fromHex(account));
    const hashes = { codeHash: a ? hexOf(a.codeHash) : EMPTY_HASH, storageRoot: a ? hexOf(a.storageRoot) : EMPTY_HASH };
    return { account, nonce: String(a?.nonce ?? 0n), balance: String(a?.balance ?? 0n), ...hashes };
  },
  StorageStatement: (stock, block, { account, slot }) => {
    const { value } = stock.prove(block.stateRoot, fromHex(account), fromHex(slot));
    return { account, slot, value: hexOf(numberBytes(value, 32)) };
  },
  BlockStatement: () => ({}),
  CallStatement: (stock, block, { call, status, result }) => ({ call, status, result }), // no EVM
};

const hashOfResult = (result) => toHex(keccak256(utf8(canonicalOf(result))));
/** RFC 8785 of what JSON.stringify takes. */
function canonicalOf(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalOf).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `"${name}":${canonicalOf(value[name])}`).join(",")}}`;
}

/** What the chain has of what was asked: the block, and the members of the message that follow from it. */
function answer(net, stock, head, statement, asked) {
  const { type, message } = statement;
  if (type === RPC) {
    const { header, receipt } = receiptOf(net, stock, head, asked.txHash);
    return { block: header, members: { method: message.method, paramsHash: message.paramsHash, resultHash: hashOfResult(receipt) } };
  }
  const block = blockOfStatement(stock, head, fromHex((message.at ?? message.to).hash));
  if (type !== LOGS) return { block, members: ANSWERS[type](stock, block, message) };
  const { fromNumber, filterHash } = message;
  const logs = logsOf(stock, head, BigInt(fromNumber), block.number, asked.filter);
  return { block, members: { fromNumber, filterHash, logsHash: hashOfResult(logs), count: logs.length, complete: true } };
}

/** The message that follows from the evidence. */
function messageOf(net, stock, heads, final, statement, asked) {
  const { header, root, participants } = heads.head;
  const issuedAt = String(slotStart(net, header.slot) / 1000n);
  const seal = { issuedAt, validUntil: statement.message.validUntil, setup: statement.message.setup };
  if (statement.type === CHECKPOINT) {
    if (!final) notRun("no finalized header has been proven");
    return { message: { slot: String(header.slot), root: hexOf(root), stateRoot: hexOf(header.stateRoot), ...seal } };
  }
  const { block, members } = answer(net, stock, heads.block, statement, asked);
  const at = {
    number: String(block.number),
    hash: hexOf(block.hash),
    stateRoot: hexOf(block.stateRoot),
    timestamp: String(block.timestamp),
    slot: String(slotAt(net, block.timestamp)),
    finality: final ? FINAL : 0,
    signers: participants,
  };
  return { block, message: { [statement.type === LOGS ? "to" : "at"]: at, ...members, ...seal } };
}

/** The name of the first member in which two messages differ; undefined: in none. */
function differs(type, said, found) {
  for (const [name, kind] of MEMBERS[type]) {
    if (!MEMBERS[kind]) {
      if (said[name] !== found[name]) return name;
      continue;
    }
    const inner = MEMBERS[kind].find(([one]) => said[name][one] !== found[name][one]);
    if (inner) return `${name}.${inner[0]}`;
  }
  return undefined;
}

/** Both are about the same thing, so that what they say of it must agree. */
function sameMatter(type, said, found) {
  if (type === CHECKPOINT) return said.slot === found.slot || said.root === found.root;
  return (said.at ?? said.to).hash === (found.at ?? found.to).hash;
}

/** What a statement has from its head alone, which it does not name: no difference in these is a lie. */
function leaveHead(type, said, found) {
  if (type === CHECKPOINT) return found;
  const name = said.at ? "at" : "to";
  const { signers, finality } = said[name];
  return { ...found, issuedAt: said.issuedAt, [name]: { ...found[name], signers, finality } };
}

function compareMessages({ type, message: said }, found, cluster) {
  const window = BigInt.asUintN(64, BigInt(said.validUntil) - BigInt(said.issuedAt));
  if (!Object.values(cluster.rules.valid).some((seconds) => BigInt(seconds) === window)) refuseGround("false-statement", "validUntil");
  const lie = sameMatter(type, said, found) && differs(type, said, leaveHead(type, said, found));
  if (lie) refuseGround("false-statement", lie);
  const other = differs(type, said, found);
  if (other) refuseGround("other-head", other);
}

/** Everything but the signature. Whether what was asked was answered again is false for what needs an EVM. */
function judge(file, net, o) {
  const { statement } = file.answer;
  if (!same(digestOf(statement), file.id)) refuseGround("wrong-id", "id");
  const cluster = checkSetup(net, file);
  const asked = readRequest(file);
  if (!asked) refuseGround("wrong-request", "request");
  const heads = findHeads(net, file, o.checkpoint, cluster.checkpoint.maxAge, o.now === undefined ? U64_MAX : slotAt(net, o.now));
  checkFinalityOf(file, heads);
  const stock = loadStock(file);
  return readingAs("not-run", "", () => {
    heads.block = blockOfHead(net, stock, heads.head, "bad-head");
    if (heads.finality) {
      const final = blockOfHead(net, stock, heads.finality, "bad-finality", heads.block);
      if (!ancestorOf(stock, final, heads.block.hash)) refuseGround("no-finality", "consensus.finality", "the head is no ancestor of its block");
    }
    const final = file.consensus.finalized || heads.finality !== undefined;
    if (statement.type === CALL && BigInt(statement.message.call.gas) > BigInt(cluster.rules.callGas)) notRun("more gas than the rules allow");
    const { block, message } = messageOf(net, stock, heads, final, statement, asked);
    compareMessages(statement, message, cluster);
    if (statement.type === CALL) {
      stock.reach(block.stateRoot);
      stock.reachAncestors(block);
    }
    stock.checkUnused();
    stock.checkOrder();
    return statement.type !== CALL;
  });
}

/** The refusal of a signature; undefined: it is one, by an accepted key. */
function signatureFault({ answer }, accepted) {
  const { statement } = answer;
  try {
    if (signerOf(statement) !== statement.signer) refuseGround("bad-signature", "signer");
    checkResult(answer);
    if (BigInt(statement.message.validUntil) < BigInt(statement.message.issuedAt)) refuseGround("bad-signature", "message.validUntil");
    if (accepted && !accepted.includes(statement.signer)) refuseGround("wrong-signer", "signer");
    return undefined;
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    return error.step ? error : faultOf("bad-signature", error.field, error.message);
  }
}

function faultOf(code, field, why) {
  try {
    return refuseGround(code, field, why);
  } catch (error) {
    return error;
  }
}

// ---- what the caller says

const OPTIONS = "checkpoint network signer signers key keys setup execution now".split(" ");

function acceptedKeys({ signer, signers, key, keys }) {
  const lists = { signer: signer === undefined ? [] : [signer], signers: signers === undefined ? [] : signers, key: key === undefined ? [] : [key], keys: keys === undefined ? [] : keys };
  for (const [name, list] of Object.entries(lists)) if (!Array.isArray(list)) refuse("bad-option", name, "not a list");
  if ((signers && !signers.length) || (keys && !keys.length)) refuse("bad-option", signers ? "signers" : "keys", "nobody is accepted");
  const all = [...lists.signer, ...lists.signers].map((one) => asHex("address", one, "signer"));
  all.push(...[...lists.key, ...lists.keys].map(addressOfKey));
  return all.length ? all : undefined;
}

function readOptions(options) {
  if (!isObject(options)) refuse("bad-option", "", "no options");
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.includes(name)) refuse("bad-option", name, "unknown");
    if (value === undefined) refuse("bad-option", name, "is undefined: leave it out if nothing is demanded");
  }
  if (options.execution !== undefined && options.execution !== "unchecked") refuse("bad-option", "execution", 'nothing, or "unchecked"');
  return {
    checkpoint: fromHex(asHex("bytes32", options.checkpoint, "checkpoint")),
    net: readNetwork(options.network ?? "mainnet"),
    accepted: acceptedKeys(options),
    setup: options.setup === undefined ? undefined : asHex("bytes32", options.setup, "setup"),
    unchecked: options.execution === "unchecked",
    now: options.now === undefined ? undefined : BigInt(asNumber(options.now, 52, "now")),
  };
}

/**
 * Checks that a statement follows from its evidence: consensus from the checkpoint, head, headers, proofs, what the statement says, signature.
 *
 * @param {string} file  JSON text: an answer with ?evidence=inline, or of GET /v1/evidence/ID
 * @param {object} options  unknown names, and undefined, are refused
 * @param {string} options.checkpoint  the beacon block root (32 bytes, hex) that is trusted: all follows from it
 * @param {string|object} [options.network]  mainnet, sepolia, hoodi; or a network as a configuration describes it, parsed or as text; mainnet
 *   when absent
 * @param {string} [options.key]  the public key (33 bytes, hex) whose signature is accepted; also keys, a list; signer, signers: as addresses.
 *   Without any: whoever the statement names, for the chain vouches for what it says
 * @param {string} [options.setup]  the SHA-256 of the cluster statement under which it must be made
 * @param {"unchecked"} [options.execution]  what a call returns is not checked, and `executed` of the result says so
 * @param {number|bigint|string} [options.now]  seconds since 1970: what is signed in slots after it is refused; no time is looked at when absent
 * @returns {{type: string, chainId: number, signer: string, digest: string, message: object, result?: any, executed: boolean}}  executed: all that
 *   the statement says was derived again; false: all but the status and the result of a call, which nothing here vouches for
 * @throws {KettleError} with a code of EVIDENCE_CODES, and `step`; `signed-lie` convicts the signer
 */
export function verifyEvidence(file, options) {
  const o = readOptions(options);
  if (typeof file !== "string") refuse("bad-option", "file", "not JSON text");
  const read = readFile(file);
  const { statement, result, canonical: plain } = read.answer;
  if (o.setup !== undefined && o.setup !== statement.message.setup) refuseGround("wrong-setup", "file", "made under another setup");
  const fault = signatureFault(read, o.accepted);
  let executed;
  try {
    executed = judge(read, o.net, o);
  } catch (error) {
    if (error.code === "false-statement" && !fault) refuseGround("signed-lie", error.field);
    throw error;
  }
  if (fault) throw fault;
  if (!executed && !o.unchecked) refuseGround("needs-evm", "answer");
  const { type, domain, message, signer } = statement;
  return { type, chainId: domain.chainId, signer, digest: hexOf(read.id), message, ...(plain !== undefined && { result }), executed };
}

// ---- attestations

const ATTESTATION_MAX = 8 << 20;
const SETUP_STATEMENT_MAX = 8192;
const SETUP_INT_MAX = 2n ** 53n - 1n;
const EVIDENCE = { 0x01: "tdx", 0x02: "dstack-tdx", 0xf0: "simulated" };
const INTEL_ROOT = base64(intelRootBase64());
const NETWORKS = knownNetworks();

// ---- the statements that the quote binds: one text for one meaning (RFC 8785)

const NAME_MAX = 31;
const HOST_MAX = 64;
const SERVERS_MAX = 16;
const OPERATORS_MAX = 16;
const PLAIN = /^[ !#-[\]-~]*$/; // printable ASCII without '"' and '\'
const HASH = /^0x[0-9a-f]{64}$/;
const WINDOWS = ["latest", "safe", "finalized", "block"];

const setupName = (place, name, max = NAME_MAX) => {
  const text = place.text(name, 1, max);
  return PLAIN.test(text) ? text : place.fail(name, "must be printable ASCII");
};
const setupHash = (place, name) => {
  const text = place.text(name);
  return HASH.test(text) ? text : place.fail(name, "must be 32 bytes as hex");
};
const setupNumber = (place, name) => place.u64(name, 0, SETUP_INT_MAX);

/** Who named the checkpoint, if servers did: their names, and of how many; there is one form, so null stands for nothing. */
function readBy(checkpoint) {
  if (!checkpoint.value.has("by")) return {};
  const by = checkpoint.list("by", 1, SERVERS_MAX).map((one) => setupName(one, undefined, HOST_MAX));
  return { by, of: checkpoint.u64("of", by.length, SERVERS_MAX) };
}

// Who can bring the key back when all nodes have died: the word, and of shares how many of which operators.
function readRecovery(place) {
  const recovery = place.word("recovery", ["none", "seal", "shares"]);
  if (recovery !== "shares") return { recovery };
  const shares = place.object("recovery_shares");
  const keys = shares.list("keys", 2, OPERATORS_MAX).map((one) => setupHash(one));
  if (keys.some((key, i) => i && keys[i - 1] >= key)) shares.fail("keys", "must ascend");
  return { recovery, recoveryShares: { keys, threshold: shares.u64("threshold", 2, keys.length) } };
}

function readCluster(place) {
  place.word("kettle", ["cluster-statement/1"]);
  const [checkpoint, network, rules] = ["checkpoint", "network", "rules"].map(place.object);
  const windows = rules.object("valid_s");
  return {
    chainId: setupNumber(place, "chain_id"),
    checkpoint: {
      maxAge: setupNumber(checkpoint, "age_max_s"),
      ...readBy(checkpoint),
      found: checkpoint.word("found", ["configuration", "setup"]),
      root: setupHash(checkpoint, "root"),
    },
    development: place.bool("development"),
    network: {
      digest: setupHash(network, "digest"),
      forksUntil: setupNumber(network, "forks_until"),
      genesisValidatorsRoot: setupHash(network, "genesis_validators_root"),
      name: setupName(network, "name"),
    },
    policySigners: setupHash(place, "policy_signers"),
    ...readRecovery(place),
    rules: {
      callGas: setupNumber(rules, "call_gas"),
      finalizedAge: setupNumber(rules, "finalized_age_s"),
      headAge: setupNumber(rules, "head_age_s"),
      valid: Object.fromEntries(WINDOWS.map((name) => [name, setupNumber(windows, name)])),
    },
    simulated: place.bool("simulated"),
  };
}

function readNode(place) {
  place.word("kettle", ["node-statement/1"]);
  const [maySet, policy] = ["may_set", "policy"].map(place.object);
  const names = (name) => maySet.list(name, 0, 64).map((one) => setupName(one));
  return {
    defaultBlock: place.word("default_block", WINDOWS.slice(0, 3)),
    maySet: { environment: names("environment"), flags: names("flags"), setup: names("setup") },
    policy: { digest: setupHash(policy, "digest"), version: setupNumber(policy, "version") },
    program: setupName(place, "program"),
  };
}

/** A statement of an attestation: what it says, and its SHA-256. */
function readSetup(place, name, read) {
  const value = place.object(name).value;
  const text = canonical(value);
  place.used.add(name);
  if (text.length > SETUP_STATEMENT_MAX) place.fail(name, "is too long");
  const doc = { code: place.doc.code, strict: true, places: [] };
  const inner = new Place(value, doc, name);
  const said = read(inner);
  inner.done();
  return { said, hash: sha256(utf8(text)) };
}

// ---- the attestation itself

/** What the node says of its cluster: read by its form, and vouched for by nothing. */
function readSaidCluster(cluster) {
  const generation = cluster.object("generation");
  generation.u64("version", 0, Infinity);
  generation.u64("index", 0, 255);
  generation.hex("order", 32);
  cluster.u64("order_version", 0, Infinity);
  cluster.u64("platforms", 0, 0xffffffff);
  for (const place of [cluster, generation]) place.names();
}

function readUnbound(place) {
  const unbound = place.object("unbound");
  const cluster = unbound.optObject("cluster");
  if (cluster) readSaidCluster(cluster);
  const out = { provider: unbound.optText("provider", 0, 64), vmConfig: unbound.optText("vm_config", 0, 65536) };
  for (const name of unbound.value.keys()) unbound.skip(name);
  return out;
}

function readAttestation(text) {
  const place = Place.open(text, "E_ATTESTATION", { strict: true, bytesMax: ATTESTATION_MAX });
  place.word("kettle", ["attestation/2"]);
  const x = {
    type: place.u64("evidence_type", 0, 255),
    quote: place.bytes("quote", 1, QUOTE_MAX),
    eventLog: place.optText("event_log", 0, EVENT_LOG_MAX),
    key: place.hex("pubkey", 33),
    nodeKey: place.hex("node_pubkey", 33),
    nonce: place.optHex("nonce", 32),
  };
  const statements = ["cluster_statement", "node_statement"].map((name) => place.object(name));
  const collateral = place.optObject("collateral");
  const unbound = readUnbound(place);
  place.doc.places = place.doc.places.filter((p) => p !== collateral && !statements.includes(p));
  place.done();
  x.collateral = collateral && new Place(collateral.value, { code: "E_COLLATERAL", strict: false, places: [] });
  x.cluster = readSetup(place, "cluster_statement", readCluster);
  x.node = readSetup(place, "node_statement", readNode);
  return { ...x, unbound };
}

/** What the quote must be over: label "tee-attest-api/2". */
function reportDataOf(x, nonce) {
  const none = new Uint8Array(32);
  const parts = [utf8("tee-attest-api/2"), [x.type, 0, 0, 0], nonce, x.key, x.nodeKey, x.cluster.hash, x.node.hash, none];
  return sha512(concat(...parts));
}

/** Evidence under a policy: genuine, and of a TD that the policy admits. */
function appraise(x, collateral, policy, now, onStep) {
  if (!EVIDENCE[x.type]) refuse("E_EVIDENCE_TYPE");
  const root = EVIDENCE[x.type] === "simulated" ? policy.simulatorRoot : INTEL_ROOT;
  if (!root) refuse("E_SIMULATED");
  const c = readCollateral(collateral);
  const verified = checkQuote(x.quote, c, root, now);
  if (c.pckCrlIssuerChain) {
    const [ca, last] = readChain(c.pckCrlIssuerChain, 2);
    checkCa(ca, last, c.rootCrl, c.pckCrl, root, now);
  }
  onStep("quote", `genuine by the documents, TCB ${verified.grade.status}`);
  const events = x.eventLog ? checkEventLog(x.eventLog, verified.quote.td) : undefined;
  const image = checkPolicy(policy, verified, events, now);
  onStep("admission", `the policy admits it as ${image}`);
  return { verified, image };
}

/** That a network which calls itself by a name that is known here is that one. */
function checkNetwork({ network, chainId }, wanted, wantedId) {
  if (wanted !== "any" && wanted !== network.name) refuse("E_NETWORK", "network.name");
  const known = own(NETWORKS, network.name) ? NETWORKS[network.name] : undefined;
  if (known && network.genesisValidatorsRoot !== known.genesis_validators_root)
    refuse("E_NETWORK", "network.genesis_validators_root");
  const row = known?.digests.find(({ from }) => from <= network.forksUntil);
  if (known && network.digest !== row?.digest) refuse("E_NETWORK", "network.digest");
  const id = wantedId ?? (own(NETWORKS, wanted) ? NETWORKS[wanted].chain_id : chainId);
  if (BigInt(id) !== BigInt(chainId)) refuse("E_CHAIN_ID", "chain_id");
}

function checkSetup({ said, hash }, policy, o) {
  if (said.development && !o.development) refuse("E_DEVELOPMENT");
  if (said.simulated && !policy.simulatorRoot) refuse("E_SIMULATED"); // a key that a simulated TEE made is nobody's secret
  checkNetwork(said, o.network, o.chainId);
  if (o.checkpoint !== undefined && o.checkpoint !== said.checkpoint.root) refuse("E_CHECKPOINT", "checkpoint.root");
  if (o.setup !== undefined && o.setup !== toHex(hash)) refuse("E_SETUP");
  if (policy.chainId !== undefined && policy.chainId !== BigInt(said.chainId)) refuse("E_POLICY_CHAIN");
  if (!admits(policy.genesis, fromHex(said.network.genesisValidatorsRoot))) refuse("E_POLICY_GENESIS");
  if (!admits(policy.setup, hash)) refuse("E_POLICY_SETUP");
}

const textOf = (input, option) => {
  if (typeof input === "string") return input;
  if (!isObject(input)) refuse("bad-option", option, "neither JSON text nor an object");
  return JSON.stringify(input);
};

const ATTESTATION_OPTIONS = "policy nonce network chainId checkpoint setup development collateral key now onStep".split(" ");

function readOptions(options) {
  checkOptions(options, ATTESTATION_OPTIONS);
  const optional = (value, read) => (value === undefined ? undefined : read(value));
  if (options.policy === undefined) refuse("bad-option", "policy", "without one nothing is accepted");
  if (options.network !== undefined && (typeof options.network !== "string" || !options.network))
    refuse("bad-option", "network", 'not the name of a network, nor "any"');
  if (options.development !== undefined && typeof options.development !== "boolean")
    refuse("bad-option", "development", "not true or false");
  if (options.onStep !== undefined && typeof options.onStep !== "function") refuse("bad-option", "onStep", "not a function");
  const nonce = fromHex(asHex("bytes32", options.nonce, "nonce"));
  if (isZero(nonce)) refuse("bad-option", "nonce", "all zeros: an attestation without a nonce has those");
  const key = optional(options.key, (k) => addressOfKey(k) && fromHex(`0x${k.slice(-66)}`));
  return {
    policy: textOf(options.policy, "policy"),
    nonce,
    network: options.network ?? "mainnet",
    chainId: optional(options.chainId, (v) => asNumber(v, 64, "chainId")),
    checkpoint: optional(options.checkpoint, (v) => asHex("bytes32", v, "checkpoint")),
    setup: optional(options.setup, (v) => asHex("bytes32", v, "setup")),
    development: options.development ?? false,
    collateral: optional(options.collateral, (v) => textOf(v, "collateral")),
    key,
    onStep: options.onStep ?? (() => {}),
    now: Number(asNumber(options.now ?? Math.floor(Date.now() / 1000), 52, "now")),
  };
}

/**
 * Checks an attestation (an answer of GET /v1/attest?nonce=0x…&collateral=1) under a policy, as `kettle verify` does: that the quote is
 * genuine by Intel's documents, of a TD that the policy admits, and over this nonce, both keys and both statements; then that what the
 * cluster statement says is what is demanded. Keep `signer` and `setup` of the result: verifyStatement is enough from then on.
 * A policy that names a simulator_root accepts simulated evidence, which proves nothing: `simulated` of the result says so.
 * One with td.debug accepts a TD in debug mode, whose memory its host reads: `debug` of the result says so.
 * It shows nothing of the chain's head: ask for /v1/block/latest and give it to verifyStatement with a maxAge.
 *
 * @param {string|object} attestation  JSON text (then also checked for members given twice), or parsed
 * @param {object} options  unknown names, and undefined, are refused
 * @param {string|object} options.policy   docs/policy.md; required: without one nothing is accepted
 * @param {string} options.nonce           the 32 bytes (hex) that you chose at random and asked with; not all zeros
 * @param {string} [options.network]       the name of the network; "mainnet" when absent; "any" accepts whichever it says
 * @param {number|bigint|string} [options.chainId]  the chain id; that of the network, where it is known, when absent
 * @param {string} [options.checkpoint]    the beacon block root from which the cluster must have started (hex)
 * @param {string} [options.setup]         the SHA-256 of the cluster statement that is demanded (hex)
 * @param {boolean} [options.development]  accept a node in development, whose operator chose all that is trusted
 * @param {string|object} [options.collateral]  Intel's documents, flattened; those stapled to the attestation when absent
 * @param {string} [options.key]           the cluster key that is expected (33 bytes, hex)
 * @param {number|bigint|string} [options.now]  seconds since 1970; this machine's clock when absent
 * @param {function(string, string)} [options.onStep]  is told each step that holds: policy, nonce, binding, key (if demanded), quote,
 *   admission, setup; to show them: only what is returned says that all do
 * @returns {{key: string, signer: string, nodeKey: string, setup: string, cluster: object, node: object, image: string,
 *   simulated: boolean, debug: boolean, tcb: {status: string, advisories: string[], evaluation: number, date: number},
 *   verifiableUntil: number, policyDigest: string, unbound: object}}  nothing vouches for what stands in unbound
 * @throws {KettleError} with a code of CODES
 */
export function verifyAttestation(attestation, options) {
  const o = readOptions(options);
  const policy = readPolicy(o.policy);
  o.onStep("policy", `read: SHA-256 ${toHex(policy.digest)}`);
  const x = readAttestation(textOf(attestation, "attestation"));
  if (!x.nonce || !same(x.nonce, o.nonce)) refuse("E_NONCE", "nonce");
  o.onStep("nonce", "it is the one that was chosen here");
  if (!same(parseQuote(x.quote).td.reportData, reportDataOf(x, o.nonce))) refuse("E_REPORTDATA");
  o.onStep("binding", "the quote is over nonce, both keys and both statements");
  if (o.key && !same(o.key, x.key)) refuse("E_KEY", "pubkey");
  if (o.key) o.onStep("key", "it is the one that was expected");
  const collateral = o.collateral === undefined ? x.collateral : Place.open(o.collateral, "E_COLLATERAL", { bytesMax: COLLATERAL_MAX, tooLong: "E_LIMIT" });
  if (!collateral) refuse("E_COLLATERAL", "collateral", "none is stapled, and none was given");
  if (utf8(canonical(collateral.value)).length > COLLATERAL_MAX) refuse("E_LIMIT", "collateral");
  const { verified, image } = appraise(x, collateral, policy, o.now, o.onStep);
  checkSetup(x.cluster, policy, o);
  o.onStep("setup", "network, chain and checkpoint are as demanded");
  const { status, advisories, date } = verified.grade;
  return {
    key: toHex(x.key),
    signer: addressOfKey(toHex(x.key)),
    nodeKey: toHex(x.nodeKey),
    setup: toHex(x.cluster.hash),
    cluster: x.cluster.said,
    node: x.node.said,
    image,
    simulated: EVIDENCE[x.type] === "simulated",
    debug: parseQuote(x.quote).td.tdAttributes[0] !== 0,
    tcb: { status, advisories, evaluation: verified.evaluation, date },
    verifiableUntil: verified.until,
    policyDigest: toHex(policy.digest),
    unbound: x.unbound,
  };
}

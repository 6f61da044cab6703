// ---- collateral: TCB info and QE identity, and how a platform is graded by them

const COLLATERAL_MAX = 4 << 20;
const DOCUMENT_MAX = 1 << 20;
const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
  "Revoked",
];
const LEVEL_STATUSES = TCB_STATUSES.filter((status) => !status.startsWith("TDRelaunch"));
const PART_STATUSES = ["UpToDate", "OutOfDate", "Revoked"]; // of modules and of the QE
const ADVISORIES_MAX = 64;

/** A flattened container (a place whose document has the code E_COLLATERAL). */
function readCollateral(place) {
  const c = {
    rootCrl: place.optText("root_ca_crl"),
    pckCrl: place.optText("pck_crl"),
    pckCrlIssuerChain: place.optText("pck_crl_issuer_chain", 1),
    tcbInfo: place.text("tcb_info", 1),
    tcbInfoChain: place.text("tcb_info_issuer_chain", 1),
    qeIdentity: place.text("qe_identity", 1),
    qeIdentityChain: place.text("qe_identity_issuer_chain", 1),
    tcbInfoSignature: place.hex("tcb_info_signature", 64),
    qeIdentitySignature: place.hex("qe_identity_signature", 64),
  };
  c.rootCrl &&= crlDer(c.rootCrl);
  c.pckCrl &&= crlDer(c.pckCrl);
  return c;
}

function readLevel(place, statuses) {
  return {
    date: place.time("tcbDate"),
    status: place.word("tcbStatus", statuses),
    advisories: (place.optList("advisoryIDs", 0, ADVISORIES_MAX) ?? []).map((id) => id.text(undefined, 1, 32)),
  };
}

function readPartLevel(place) {
  const isvSvn = place.object("tcb").u64("isvsvn", 0, 65535);
  return { isvSvn, ...readLevel(place, PART_STATUSES) };
}

/** Components and PCESVN have a code of their own. */
function readPlatformLevel(place) {
  const { doc } = place;
  const { code } = doc;
  doc.code = "E_TCB_COMPONENTS";
  const tcb = place.object("tcb");
  const svns = (name) => Uint8Array.from(tcb.list(name, 16, 16), (one) => one.u64("svn", 0, 255));
  const level = { sgx: svns("sgxtcbcomponents"), tdx: svns("tdxtcbcomponents"), pceSvn: tcb.u64("pcesvn", 0, 65535) };
  doc.code = code;
  return { ...level, ...readLevel(place, LEVEL_STATUSES) };
}

const compareBytes = (a, b) => Math.sign(a.reduce((order, x, i) => order || x - b[i], 0));
const higherFirst = (x, y) => compareBytes(y.sgx, x.sgx) || y.pceSvn - x.pceSvn || compareBytes(y.tdx, x.tdx);
const higherPartFirst = (x, y) => y.isvSvn - x.isvSvn;
const readLevels = (place, one, order) => place.list("tcbLevels", 1, 256).map(one).sort(order);

function readModule(place) {
  return {
    mrSigner: place.hex("mrsigner", 48, "bare"),
    attributes: place.hex("attributes", 8, "bare"),
    mask: place.hex("attributesMask", 8, "bare"),
  };
}

function readModules(place) {
  const modules = new Map();
  for (const one of place.optList("tdxModuleIdentities", 0, 32) ?? []) {
    const found = /^TDX_([0-9a-f]{2})$/i.exec(one.text("id"));
    const version = found ? parseInt(found[1], 16) : one.fail("id", "is not TDX_ and two hex digits");
    if (modules.has(version)) one.fail("id", "is that of another module too");
    modules.set(version, { ...readModule(one), levels: readLevels(one, readPartLevel, higherPartFirst) });
  }
  return modules;
}

/** What both documents begin with; prefix: of their codes, behind E_. */
function openDocument(text, prefix, id, version) {
  const place = Place.open(text, `E_${prefix}_JSON`, { bytesMax: DOCUMENT_MAX, tooLong: "E_LIMIT" });
  const under = (code, read) => {
    place.doc.code = `E_${prefix}_${code}`;
    const out = read();
    place.doc.code = `E_${prefix}_JSON`;
    return out;
  };
  under("ID", () => place.text("id") === id || place.fail("id", `is not ${id}`));
  under("ID", () => place.u64("version", version, version));
  const [issueDate, nextUpdate] = under("TIME", () => [place.time("issueDate"), place.time("nextUpdate")]);
  if (nextUpdate < issueDate) under("TIME", () => place.fail("nextUpdate", "is before issueDate"));
  return [place, { issueDate, nextUpdate }];
}

function parseTcbInfo(text) {
  const [place, dates] = openDocument(text, "TCB", "TDX", 3);
  const info = { ...dates, fmspc: place.hex("fmspc", 6, "bare"), pceId: place.hex("pceId", 2, "bare") };
  place.u64("tcbType", 0, 0);
  info.evaluation = place.u64("tcbEvaluationDataNumber", 0, 0xffffffff);
  info.base = { ...readModule(place.object("tdxModule")), levels: [] };
  info.modules = readModules(place);
  info.levels = readLevels(place, readPlatformLevel, higherFirst);
  return info;
}

function parseQeIdentity(text) {
  const [place, dates] = openDocument(text, "QEID", "TD_QE", 2);
  return {
    ...dates,
    evaluation: place.u64("tcbEvaluationDataNumber", 0, 0xffffffff),
    misc: place.hex("miscselect", 4, "bare"),
    miscMask: place.hex("miscselectMask", 4, "bare"),
    attributes: place.hex("attributes", 16, "bare"),
    mask: place.hex("attributesMask", 16, "bare"),
    mrSigner: place.hex("mrsigner", 32, "bare"),
    isvProdId: place.u64("isvprodid", 0, 65535),
    levels: readLevels(place, readPartLevel, higherPartFirst),
  };
}

// ---- grading, by Intel's rule

const equalMasked = (got, want, mask) => got.every((byte, i) => ((byte ^ want[i]) & mask[i]) === 0);
const isZero = (bytes) => bytes.every((byte) => byte === 0);

function gradeQe(id, qe) {
  if (!equalMasked(qe.miscSelect, id.misc, id.miscMask)) refuse("E_QE_MISC");
  if (qe.attributes[0] & 2) refuse("E_QE_DEBUG");
  if (!equalMasked(qe.attributes, id.attributes, id.mask)) refuse("E_QE_ATTR");
  if (!same(qe.mrSigner, id.mrSigner)) refuse("E_QE_SIGNER");
  if (qe.isvProdId !== id.isvProdId) refuse("E_QE_PRODID");
  return id.levels.find((level) => qe.isvSvn >= level.isvSvn) ?? refuse("E_QE_SVN");
}

/** The level of the TDX module; undefined for module version 0, which has none. */
function gradeModule(info, td, [svn, version], codes) {
  const m = version ? info.modules.get(version) : info.base;
  if (!m) refuse(codes.id);
  if (!same(td.mrSignerSeam, m.mrSigner)) refuse("E_MODULE_SIGNER");
  if (!isZero(td.seamAttributes) || !equalMasked(td.seamAttributes, m.attributes, m.mask)) refuse("E_MODULE_ATTR");
  if (version) return m.levels.find((level) => svn >= level.isvSvn) ?? refuse(codes.svn);
  return undefined;
}

/** What a part of status x does to a whole of status l. */
function converge(x, l) {
  if (x === "Revoked") return x;
  if (x !== "OutOfDate") return l;
  if (l === "UpToDate" || l === "SWHardeningNeeded") return "OutOfDate";
  return l.startsWith("Configuration") ? "OutOfDateConfigurationNeeded" : l;
}

function gradeVector(info, qeLevel, sgx, td, svns, codes) {
  const module = gradeModule(info, td, svns, codes);
  const reaches = (level) =>
    sgx.components.every((svn, i) => svn >= level.sgx[i]) &&
    sgx.pceSvn >= level.pceSvn &&
    svns.every((svn, i) => (svns[1] > 0 && i < 2) || svn >= level.tdx[i]);
  const platform = info.levels.find(reaches) ?? refuse(codes.platform);
  const status = converge(qeLevel.status, module ? converge(module.status, platform.status) : platform.status);
  return { platform, module, status };
}

/** The platform is patched, the TD began before. */
function adviseRelaunch(launch, current) {
  const patched = LEVEL_STATUSES.slice(0, 4).includes(current);
  if (!launch.startsWith("OutOfDate") || !patched) return launch;
  const configuration = launch === "OutOfDateConfigurationNeeded" || current.startsWith("Configuration");
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}

function gradeTcb(info, qeLevel, sgx, quote) {
  const { td } = quote;
  const codes = { id: "E_MODULE_ID", svn: "E_MODULE_SVN", platform: "E_TCB_UNSUPPORTED" };
  const codes2 = { id: "E_MODULE2_ID", svn: "E_MODULE2_SVN", platform: "E_TCB2_UNSUPPORTED" };
  const launch = gradeVector(info, qeLevel, sgx, td, td.tcbSvn, codes);
  let current = launch;
  if (quote.bodyType === 3) {
    if (isZero(td.tcbSvn2)) refuse("E_TCB2_ZERO");
    current = gradeVector(info, qeLevel, sgx, td, td.tcbSvn2, codes2);
  }
  const levels = [launch, current].flatMap(({ platform, module }) => [platform, module, qeLevel]).filter(Boolean);
  const advisories = [...new Set(levels.flatMap((level) => level.advisories))];
  if (advisories.length > ADVISORIES_MAX) refuse("E_LIMIT");
  return {
    status: adviseRelaunch(launch.status, current.status),
    current: current.status,
    platform: launch.platform.status,
    module: launch.module?.status,
    qe: qeLevel.status,
    date: Math.min(...levels.map((level) => level.date)),
    advisories,
  };
}

// ---- a quote by its collateral

function checkDocument(text, signature, chain, rootCrl, root, now, code) {
  const signer = checkSigner(chain, rootCrl, root, now);
  if (p256(signature, sha256(utf8(text)), signer.key) !== "good") refuse(code);
  return signer.until;
}

function checkSignature(signed, signature, key, code) {
  const result = p256(signature, sha256(signed), key);
  if (result !== "good") refuse(result === "point" ? "E_POINT" : code);
}

/** That a quote is genuine, and how its platform is graded; says nothing yet of what runs in the TD. */
function checkQuote(bytes, c, root, now) {
  const quote = parseQuote(bytes);
  const pck = checkPckChain(quote.certificates, c, root, now);
  const untilInfo = checkDocument(c.tcbInfo, c.tcbInfoSignature, c.tcbInfoChain, c.rootCrl, root, now, "E_TCB_SIG");
  const info = parseTcbInfo(c.tcbInfo);
  if (now < info.issueDate || now > info.nextUpdate) refuse("E_TCB_TIME");
  const untilId = checkDocument(c.qeIdentity, c.qeIdentitySignature, c.qeIdentityChain, c.rootCrl, root, now, "E_QEID_SIG");
  const identity = parseQeIdentity(c.qeIdentity);
  if (now < identity.issueDate || now > identity.nextUpdate) refuse("E_QEID_TIME");
  if (!same(info.fmspc, pck.sgx.fmspc)) refuse("E_FMSPC");
  if (!same(info.pceId, pck.sgx.pceId)) refuse("E_PCEID");
  checkSignature(quote.qe.whole, quote.qeSignature, pck.key, "E_QE_SIG");
  const binding = concat(sha256(concat(quote.attestationKey, quote.qeAuth)), new Uint8Array(32));
  if (!same(quote.qe.reportData, binding)) refuse("E_QE_BINDING");
  const qeLevel = gradeQe(identity, quote.qe);
  checkSignature(quote.signed, quote.signature, quote.attestationKey, "E_QUOTE_SIG");
  return {
    quote,
    grade: gradeTcb(info, qeLevel, pck.sgx, quote),
    platform: sha256(pck.sgx.ppid),
    evaluation: Math.min(info.evaluation, identity.evaluation),
    issued: Math.min(info.issueDate, identity.issueDate, pck.pckList.thisUpdate),
    until: Math.min(pck.until, untilInfo, untilId, info.nextUpdate, identity.nextUpdate),
  };
}

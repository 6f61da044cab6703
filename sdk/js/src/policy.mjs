// ---- the policy: which TDs are admitted (docs/policy.md)

const POLICY_MAX = 256 << 10;
const VALUES_AT_MOST = 64;
const REGISTERS = ["MRTD", "RTMR0", "RTMR1", "RTMR2", "RTMR3"];

/** Alternatives of n bytes; undefined: nothing is demanded. */
const readValues = (place, name, n) => place.optValues(name, VALUES_AT_MOST)?.map((one) => one.hex(undefined, n));
const oneOf = (values, got) => values.some((value) => same(value, got));
const admits = (values, got) => !values || oneOf(values, got);

/** As Intel writes them: a misspelt one would deny nothing. */
function readAdvisory(place) {
  const id = place.text(undefined, 1, 32);
  return /^INTEL-SA-[0-9]{5,}$/.test(id) ? id : place.fail(undefined, "must be INTEL-SA- and at least five digits");
}

function readTcbRules(tcb) {
  const accept = tcb?.optList("accept", 0, Infinity)?.map((one) => one.word(undefined, TCB_STATUSES));
  if (accept?.includes("Revoked")) tcb.fail("accept", "Revoked cannot be accepted");
  return {
    accept: accept ?? ["UpToDate", "SWHardeningNeeded"],
    deny: (tcb?.optList("deny_advisories", 0, VALUES_AT_MOST) ?? []).map(readAdvisory),
    minEvaluation: tcb?.optU64("min_eval", 0, 0xffffffff) ?? 0,
    maxAge: tcb?.optU64("max_age_s", 1, 0x7fffffff),
    minDate: tcb?.optTime("min_tcb_date"),
  };
}

function readTdRules(td) {
  const mask = td && readValues(td, "attributes_zero_mask", 8);
  if (mask?.length > 1) td.fail("attributes_zero_mask", "must be one value");
  return {
    debug: td?.optBool("debug") ?? false,
    septVeDisable: td?.optBool("sept_ve_disable") ?? true,
    serviceZero: td?.optBool("mrservicetd_zero") ?? true,
    zeroMask: mask?.[0] ?? bytesOf("feffff2fffffff7f"),
    xfam: td && readValues(td, "xfam", 8),
    mrConfigId: td && readValues(td, "mrconfigid", 48),
    mrOwner: td && readValues(td, "mrowner", 48),
    mrOwnerConfig: td && readValues(td, "mrownerconfig", 48),
  };
}

function readEvents(rtmr3) {
  const require = rtmr3.object("require");
  const names = require.names();
  if (!names.length || names.length > 16) rtmr3.fail("require", "must name 1 to 16 events");
  const payload = (name) => (one) =>
    name === "key-provider-name" ? utf8(one.text(undefined, 1, 128)) : one.bytes(undefined, 0, 4096);
  return names.map((name) => ({ name, values: require.list(name, 1, VALUES_AT_MOST).map(payload(name)) }));
}

function readRtmr3(rtmr3) {
  if (!rtmr3) return { mode: "zero" };
  const mode = rtmr3.word("mode", ["zero", "exact", "events"]);
  for (const [name, needs] of [["value", "exact"], ["require", "events"]]) {
    if (rtmr3.has(name) !== (mode === needs)) rtmr3.fail(name, `belongs to mode ${needs}, which needs it`);
    rtmr3.skip(name);
  }
  if (mode === "exact") return { mode, values: readValues(rtmr3, "value", 48) };
  return mode === "events" ? { mode, events: readEvents(rtmr3) } : { mode };
}

function readImage(place) {
  const name = place.text("name", 1, 128);
  const registers = ["mrtd", "rtmr0", "rtmr1", "rtmr2"].map(
    (register) => readValues(place, register, 48) ?? place.fail(register, "is required"),
  );
  return { name, registers, rtmr3: readRtmr3(place.optObject("rtmr3")) };
}

function readPolicy(text) {
  const place = Place.open(text, "E_POLICY", { strict: true, bytesMax: POLICY_MAX });
  place.u64("version", 1, 1);
  const simulatorRoot = place.optBytes("simulator_root", 1, 4096);
  const mode = place.word("mode", ["list", "same-as-self"]);
  const other = mode === "list" ? "self_rtmr0" : "images";
  if (place.has(other)) place.fail(other, "belongs to the other mode");
  place.skip(other);
  if (mode === "same-as-self") readValues(place, "self_rtmr0", 48);
  const policy = {
    digest: sha256(utf8(text)),
    simulatorRoot,
    mode,
    images: mode === "list" ? place.list("images", 0, 64).map(readImage) : [],
    platforms: readValues(place, "platforms", 32),
    tcb: readTcbRules(place.optObject("tcb")),
    td: readTdRules(place.optObject("td")),
  };
  place.used.add("chain_id");
  const id = place.value.get("chain_id") ?? undefined;
  if (id !== undefined && (typeof id !== "bigint" || id < 1n)) place.fail("chain_id", "must be a number from 1");
  policy.chainId = id;
  policy.genesis = readValues(place, "genesis_validators_root", 32);
  policy.setup = readValues(place, "setup_hash", 32);
  place.optU64("min_platforms", 1, 64); // these two are for members of a cluster
  place.optU64("rotate_after_s", 3600, 0x7fffffff);
  place.done();
  return policy;
}

// ---- judging

function checkTd({ td: rules }, td) {
  if (td.tdAttributes[0] && !rules.debug) refuse("E_TD_DEBUG");
  if (td.tdAttributes.some((byte, i) => byte & rules.zeroMask[i])) refuse("E_TD_RESERVED");
  if (rules.septVeDisable && !(td.tdAttributes[3] & 0x10)) refuse("E_TD_SEPT");
  if (rules.serviceZero && td.mrServiceTd && !isZero(td.mrServiceTd)) refuse("E_TD_SERVICE");
  for (const name of ["xfam", "mrConfigId", "mrOwner", "mrOwnerConfig"])
    if (!admits(rules[name], td[name])) refuse("E_TD_FIELD", name);
}

/** After the grace period: only when the status comes from the platform's level alone. */
function statusWithGrace({ minDate }, grade) {
  const parts = grade.module === "OutOfDate" || grade.qe === "OutOfDate";
  if (minDate === undefined || grade.date < minDate || grade.status !== grade.platform || parts) return grade.status;
  return { OutOfDate: "UpToDate", OutOfDateConfigurationNeeded: "ConfigurationNeeded" }[grade.status] ?? grade.status;
}

function checkTcb({ tcb }, { grade, evaluation, issued }, now) {
  if (!tcb.accept.includes(statusWithGrace(tcb, grade))) refuse("E_TCB_STATUS", "", `the policy does not accept ${grade.status}`);
  if (grade.current === "Revoked") refuse("E_TCB_STATUS", "", "the TCB that runs now is revoked"); // the status is that of the launch
  if (grade.advisories.some((id) => tcb.deny.includes(id))) refuse("E_ADVISORY");
  if (evaluation < tcb.minEvaluation) refuse("E_EVAL_NUMBER");
  if (tcb.maxAge !== undefined && now - issued > tcb.maxAge) refuse("E_COLLATERAL_AGE");
}

/** The name in dstack's event key-provider: JSON {"name":..., "id":...}. */
function providerName(payload) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    return utf8(Place.open(text, "E_EVENT_REQUIRED", { bytesMax: 4096 }).text("name", 1, 128));
  } catch {
    return new Uint8Array(0);
  }
}

function checkEvents(rules, events) {
  if (!events) refuse("E_EVENT_REQUIRED", "", "the image requires events, and no event log came");
  for (const { name, values } of rules) {
    const provider = name === "key-provider-name";
    const payload = eventPayload(events, provider ? "key-provider" : name);
    if (!oneOf(values, provider ? providerName(payload) : payload)) refuse("E_EVENT_REQUIRED", name);
  }
}

/** Names of the registers that differ from what the image admits; events stand for RTMR3 where it is judged by them. */
function registersThatDiffer(image, td) {
  const differs = [td.mrTd, td.rtmr0, td.rtmr1, td.rtmr2].map((value, i) => !oneOf(image.registers[i], value));
  const { mode, values } = image.rtmr3;
  differs.push((mode === "zero" && !isZero(td.rtmr3)) || (mode === "exact" && !oneOf(values, td.rtmr3)));
  return REGISTERS.filter((_, i) => differs[i]);
}

/** The name of the first image that matches. */
function checkImages({ images }, td, events) {
  let nearest;
  for (const image of images) {
    const differs = registersThatDiffer(image, td);
    try {
      if (!differs.length && image.rtmr3.mode === "events") checkEvents(image.rtmr3.events, events);
      if (!differs.length) return image.name;
    } catch (error) {
      if (!(error instanceof KettleError)) throw error;
    }
    if (!nearest || differs.length < nearest.differs.length) nearest = { image, differs };
  }
  if (!nearest) refuse("E_MEASUREMENT", "", "the policy lists no image");
  if (!nearest.differs.length) checkEvents(nearest.image.rtmr3.events, events);
  const name = nearest.image.name.replace(/[^ -~]/gu, "?").slice(0, 40);
  return refuse("E_MEASUREMENT", nearest.differs.join(", "), `not those of the nearest image, "${name}"`);
}

/** The name of the image that the policy admits. */
function checkPolicy(policy, verified, events, now) {
  const { td } = verified.quote;
  checkTd(policy, td);
  checkTcb(policy, verified, now);
  if (policy.platforms && !oneOf(policy.platforms, verified.platform)) refuse("E_PLATFORM");
  if (policy.mode !== "list") refuse("E_MEASUREMENT", "", "a verifier has no self: give a policy of mode list");
  return checkImages(policy, td, events);
}

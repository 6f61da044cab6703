
// ---- for kettle-evidence.mjs, which stands beside this file: no part of what others may rely on
export const internals = Object.freeze({
  Place, asHex, asNumber, canonical, checkResult, concat, digestOf, fromHex, hashOf, isObject, keccak256, MEMBERS, own, plainJson,
  readAnswer, readCluster, recover, same, SETUP_STATEMENT_MAX, sha256, signerOf, toHex, utf8,
});

// Builds kettle-verify.mjs: our sources as they are, one behind the other in one scope, Intel's root and the networks as data, then the
// primitives bundled into one function, with their licences; and likewise kettle-evidence.mjs, which imports the first one.
//   node build.mjs          writes them      node build.mjs --check   compares them with a fresh build
// Before: npm ci --ignore-scripts (in this folder).
import fs from "node:fs";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const VENDORED = ["@noble/curves", "@noble/hashes"];

async function vendored(file) {
  const bundle = await build({
    entryPoints: [`${here}src/${file}.mjs`],
    absWorkingDir: here,
    bundle: true,
    format: "iife",
    globalName: "primitives",
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: false,
    lineLimit: 160,
    legalComments: "none",
    target: "es2022",
    write: false,
  });
  return bundle.outputFiles[0].text;
}

function licences() {
  return VENDORED.map((name) => {
    const { version } = JSON.parse(fs.readFileSync(`${here}node_modules/${name}/package.json`, "utf8"));
    const text = fs.readFileSync(`${here}node_modules/${name}/LICENSE`, "utf8").trim();
    return `/*!\n * ${name} ${version}, the parts that are used\n *\n${text.replace(/^/gm, " * ").replace(/ +$/gm, "")}\n */`;
  }).join("\n");
}

const VERIFY = ["kettle-verify", "json", "x509", "quote", "tcb", "policy", "attestation", "shared"];
const EVIDENCE = ["evidence", "bytes", "networks", "lightclient", "trie", "blocks", "replay", "file", "judge"].map((name) => `evidence/${name}`);
const sources = (names) => names.map((name) => fs.readFileSync(`${here}src/${name}.mjs`, "utf8")).join("\n");

/** Intel's root certificate, from where the node's program has it. */
function intelRoot() {
  const table = /der\[\] = \{([^}]*)\}/.exec(fs.readFileSync(`${here}../../tee/x509/intel_root.c`, "utf8"))[1];
  return Buffer.from(table.match(/0x[0-9a-f]{2}/g).map(Number)).toString("base64");
}

/** The codes of evidence, from where the node's program has them, and the one that only this verifier has. */
function groundsCodes() {
  const table = fs.readFileSync(`${here}../../rpc/api/grounds_codes.def`, "utf8");
  const rows = [...table.matchAll(/^GROUND\(\w+, "([^"]+)", GROUNDS_(\w+), \w+, "([^"]+)"\)$/gm)];
  const codes = rows.map(([, code, step, text]) => [code, { step: step.toLowerCase(), text }]);
  codes.push(["needs-evm", { step: "execution", text: "what a call returns was not checked: there is no EVM here" }]);
  return JSON.stringify(Object.fromEntries(codes), null, 2);
}

const verify = `${sources(VERIFY)}
// ---- data: Intel's SGX root CA (DER; SHA-256 44a0196b…d3), and the networks as sdk/networks.json has them
function intelRootBase64() {
  return "${intelRoot()}";
}
function knownNetworks() {
  return ${JSON.stringify(JSON.parse(fs.readFileSync(`${here}../networks.json`, "utf8")))};
}
// ---- vendored, unchanged but for being bundled: see the licences
${licences()}
function vendoredPrimitives() {
${await vendored("primitives")}return primitives;
}
`;
const evidence = `${sources(EVIDENCE)}
// ---- data: the codes, as rpc/api/grounds_codes.def has them
function groundsCodes() {
  return ${groundsCodes()};
}
// ---- vendored, unchanged but for being bundled: see the licences
${licences()}
function vendoredBls() {
${await vendored("evidence/bls")}return primitives;
}
`;

for (const [name, built] of Object.entries({ "kettle-verify": verify, "kettle-evidence": evidence })) {
  const target = `${here}${name}.mjs`;
  if (process.argv[2] !== "--check") fs.writeFileSync(target, built);
  else if (!fs.existsSync(target) || fs.readFileSync(target, "utf8") !== built) {
    console.error(`sdk/js/${name}.mjs is not what sdk/js/build.mjs builds from src/`);
    process.exitCode = 1;
  }
}

// Builds kettle-verify.mjs: our sources as they are, one behind the other in one scope, Intel's root and the networks as data, then the
// primitives bundled into one function, with their licences.
//   node build.mjs          writes it        node build.mjs --check   compares it with a fresh build
// Before: npm ci --ignore-scripts (in this folder).
import fs from "node:fs";
import { build } from "esbuild";

const here = new URL(".", import.meta.url).pathname;
const VENDORED = ["@noble/curves", "@noble/hashes"];

async function vendored() {
  const bundle = await build({
    entryPoints: [`${here}src/primitives.mjs`],
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

const SOURCES = ["kettle-verify", "json", "x509", "quote", "tcb", "policy", "attestation"];

/** Intel's root certificate, from where the node's program has it. */
function intelRoot() {
  const table = /der\[\] = \{([^}]*)\}/.exec(fs.readFileSync(`${here}../../tee/x509/intel_root.c`, "utf8"))[1];
  return Buffer.from(table.match(/0x[0-9a-f]{2}/g).map(Number)).toString("base64");
}

const source = SOURCES.map((name) => fs.readFileSync(`${here}src/${name}.mjs`, "utf8")).join("\n");
const built = `${source}
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
${await vendored()}return primitives;
}
`;
const target = `${here}kettle-verify.mjs`;
if (process.argv[2] === "--check") {
  if (fs.readFileSync(target, "utf8") !== built) {
    console.error("sdk/js/kettle-verify.mjs is not what sdk/js/build.mjs builds from src/");
    process.exit(1);
  }
} else {
  fs.writeFileSync(target, built);
}

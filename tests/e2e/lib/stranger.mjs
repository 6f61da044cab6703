// A js-libp2p node dials a node of ours, and is nobody to it: it learns no protocol but what every libp2p peer may use, and that of
// attestation.
import assert from "node:assert";
import { fileURLToPath } from "node:url";

const BASIC = ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/kettle/attest/1"];
const MEMBERS_ONLY = ["keyshare", "state", "msg", "peers", "lc", "flood", "rbc"].map((name) => `/kettle/${name}/1`);

function identified(peer, connection) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no identify within 10 s")), 10000);
    peer.addEventListener("peer:identify", ({ detail }) => {
      if (detail.connection.id !== connection.id) return;
      clearTimeout(timer);
      resolve(detail);
    });
  });
}

async function dial(peer, libp2p, address) {
  const connection = await peer.dial(libp2p.address(address));
  const { protocols, agentVersion } = await identified(peer, connection);
  assert.deepStrictEqual([...protocols].sort(), BASIC);
  assert.match(agentVersion, /^kettle\//);
  const ms = await peer.services.ping.ping(connection.remoteAddr);
  for (const name of MEMBERS_ONLY) await assert.rejects(connection.newStream(name), /protocol/i, `${name} is refused`);
  assert.strictEqual(connection.status, "open", "refusals leave the connection open");
  const id = connection.remotePeer.toString();
  await connection.close();
  return { id, ms };
}

// Dials over both transports; a line about it.
export async function strangerLearnsNothing(port, key) {
  const libp2p = await import(fileURLToPath(new URL("../../devnet/libp2p/peer.mjs", import.meta.url)));
  const peer = await libp2p.startPeer(key);
  try {
    const { id, ms } = await dial(peer, libp2p, `/ip4/127.0.0.1/tcp/${port}`);
    const quic = await dial(peer, libp2p, `/ip4/127.0.0.1/udp/${port}/quic-v1/p2p/${id}`);
    assert.strictEqual(quic.id, id);
    return `${id}: ping ${ms} ms over TCP, ${quic.ms} ms over QUIC, ${MEMBERS_ONLY.length} protocols refused`;
  } finally {
    await peer.stop();
  }
}

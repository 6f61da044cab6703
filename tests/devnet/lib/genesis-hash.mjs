// Prints the hash of the execution client's genesis block. usage: genesis-hash.mjs RPC_URL
import { rpc } from "./rpc.mjs";

console.log((await rpc(process.argv[2], "eth_getBlockByNumber", ["0x0", false])).hash);

// One JSON-RPC call; an error answer throws.
export async function rpc(url, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const ask = () => fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = await ask().catch(ask); // the server may end a kept connection in the moment that it is used
  const { result, error } = await answer.json();
  if (error) throw Object.assign(new Error(`${method}: ${error.message}`), error);
  return result;
}

/* eth_block.c - methods about the chain and its blocks. */
#include "rpc/api/methods.h"

void api_eth_chainId(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_quantity(&c->out, NULL, c->world->chain->chain_id);
}

void api_eth_blockNumber(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_quantity(&c->out, NULL, c->world->latest.env.number);
}

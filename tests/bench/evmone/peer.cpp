// peer.cpp - see peer.h. The host is EVMC's mocked one, as in evmone's own benches, and empty at the start of each call.
#include "peer.h"

#include <cstring>

#include <evmc/evmc.hpp>
#include <evmc/mocked_host.hpp>
#include <evmone/evmone.h>
#include <test/state/precompiles.hpp>

static constexpr int64_t gas_limit = int64_t{1} << 50;

static evmc_message message(const peer_run_t& run)
{
    evmc_message msg{};
    msg.kind = EVMC_CALL;
    msg.gas = gas_limit;
    msg.input_data = run.input;
    msg.input_size = run.input_len;
    return msg;
}

static int finish(peer_run_t& run, const evmc::Result& result)
{
    run.gas = gas_limit - result.gas_left;
    run.out_len = result.output_size;
    const auto n = result.output_size < run.out_cap ? result.output_size : run.out_cap;
    if (n)
        std::memcpy(run.out, result.output_data, n);
    return result.status_code;
}

extern "C" [[gnu::visibility("default")]] int peer_call(peer_run_t* run)
{
    static evmc::VM vm{evmc_create_evmone()};
    static evmc::MockedHost host;
    host.accounts.clear();
    host.recorded_account_accesses.clear();
    return finish(*run, vm.execute(host, EVMC_OSAKA, message(*run), run->code, run->code_len));
}

extern "C" [[gnu::visibility("default")]] int peer_precompile(peer_run_t* run, unsigned index)
{
    auto msg = message(*run);
    msg.code_address.bytes[19] = static_cast<uint8_t>(index);
    return finish(*run, evmone::state::call_precompile(EVMC_OSAKA, msg));
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Call, CallStatement, KettleVerifier} from "../KettleVerifier.sol";

/// @notice What a Kettle node's CCIP-Read gateway is asked: the calldata of this function stands in its URL. No contract implements it.
interface IKettleGateway {
    /// @notice Asks what a call gives on a block.
    /// @param call what is asked
    /// @param rule 0 latest, 1 safe, 2 finalized, 3 the block of that number
    /// @param number with rule 3 the block's number, else the lowest number that is of use
    /// @return statement what the node says
    /// @return signature its 65 bytes r, s, v
    function callStatement(Call calldata call, uint8 rule, uint64 number)
        external
        view
        returns (CallStatement memory statement, bytes memory signature);
}

/// @title Reads another chain through a Kettle node, for any wallet or library that knows ERC-3668
/// @notice An example to copy. `read` reverts with OffchainLookup; the client asks the gateway and calls `readCallback` with what it
///         said; that gives what the call returned, or reverts when the answer is not the one to this question.
/// @dev Both are view functions of one eth_call: who calls readCallback chooses extraData. A contract that acts on an answer in a
///      transaction must itself fix what was asked (call, rule, setup, maxAge), and keep the last block number it accepted.
contract KettleReader {
    /// @notice Checks the statements.
    KettleVerifier public immutable verifier;
    /// @notice The chain that is read.
    uint256 public immutable chainId;
    /// @notice The setup under which statements must be made.
    bytes32 public immutable setup;
    /// @notice The gateways, with {sender} and {data}.
    string[] public urls;

    uint8 private constant BY_NUMBER = 3;

    /// @notice ERC-3668: ask one of the urls, then call back.
    /// @param sender this contract
    /// @param urls the gateways
    /// @param callData what to ask them
    /// @param callbackFunction whom to call with the answer
    /// @param extraData to hand to the callback unchanged
    error OffchainLookup(address sender, string[] urls, bytes callData, bytes4 callbackFunction, bytes extraData);
    /// @notice There is no such rule.
    /// @param rule what was given
    error UnknownRule(uint8 rule);
    /// @notice The statement was made under another setup.
    /// @param setup the statement's
    error WrongSetup(bytes32 setup);
    /// @notice The block is lower than demanded.
    /// @param number the statement's block
    error BlockTooLow(uint64 number);
    /// @notice The block is less final than demanded.
    /// @param finality the statement's
    error NotFinal(uint8 finality);

    /// @param verifier_ checks the statements
    /// @param chainId_ the chain that is read
    /// @param setup_ the setup under which statements must be made
    /// @param urls_ the gateways, for example https://node.example/v1/ccip/{sender}/{data}.json
    constructor(KettleVerifier verifier_, uint256 chainId_, bytes32 setup_, string[] memory urls_) {
        verifier = verifier_;
        chainId = chainId_;
        setup = setup_;
        urls = urls_;
    }

    /// @notice What a call gives on a block of the other chain. Clients that follow ERC-3668 get the answer; others see the revert.
    /// @param call what to ask
    /// @param rule 0 latest, 1 safe, 2 finalized, 3 the block of that number
    /// @param number with rule 3 the block's number, else the lowest number accepted
    /// @param maxAge with rules 0 to 2: how many seconds the block may lie from this chain's time
    /// @return never; clients decode the callback's `bytes` as this function's
    function read(Call calldata call, uint8 rule, uint64 number, uint64 maxAge) external view returns (bytes memory) {
        require(rule <= BY_NUMBER, UnknownRule(rule));
        revert OffchainLookup(
            address(this),
            urls,
            abi.encodeCall(IKettleGateway.callStatement, (call, rule, number)),
            this.readCallback.selector,
            abi.encode(verifier.hashCall(call), rule, number, maxAge, setup)
        );
    }

    /// @notice Checks a gateway's answer against what was asked.
    /// @param response abi.encode(CallStatement, bytes signature)
    /// @param extraData what `read` asked for: hash of the call, rule, number, maxAge, setup
    /// @return what the call returned
    function readCallback(bytes calldata response, bytes calldata extraData) external view returns (bytes memory) {
        (CallStatement memory said, bytes memory signature) = abi.decode(response, (CallStatement, bytes));
        (bytes32 callHash, uint8 rule, uint64 number, uint64 maxAge, bytes32 wanted) =
            abi.decode(extraData, (bytes32, uint8, uint64, uint64, bytes32));
        require(said.setup == wanted, WrongSetup(said.setup));
        if (rule == BY_NUMBER) {
            verifier.verifyAt(said, signature, chainId, callHash, number);
            return said.result;
        }
        require(said.at.number >= number, BlockTooLow(said.at.number));
        require(said.at.finality >= rule, NotFinal(said.at.finality));
        verifier.verifyFresh(said, signature, chainId, callHash, maxAge);
        return said.result;
    }
}

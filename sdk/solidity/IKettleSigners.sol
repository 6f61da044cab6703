// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Which keys of Kettle nodes are accepted
/// @notice The one question KettleVerifier asks about a signer. Answered by a list (KettleSigners.sol), or by a contract that checks
///         a quote on chain and reads the key and the setup from its report data; either can be put in the other's place.
interface IKettleSigners {
    /// @notice Whether statements of this key, made under this setup, are accepted.
    /// @param signer the address of the key that signed
    /// @param setup SHA-256 of the cluster statement: network, genesis, checkpoint, rules of answering
    /// @return whether the pair is accepted; a signer with another setup is another pair
    function accepts(address signer, bytes32 setup) external view returns (bool);
}

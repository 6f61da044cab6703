// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IKettleSigners} from "sdk/solidity/IKettleSigners.sol";

/// @notice Stands for a contract that learned one pair from a quote which it checked on chain.
contract StubSigners is IKettleSigners {
    address private immutable theSigner;
    bytes32 private immutable theSetup;

    constructor(address signer, bytes32 setup) {
        theSigner = signer;
        theSetup = setup;
    }

    function accepts(address signer, bytes32 setup) external view returns (bool) {
        return signer == theSigner && setup == theSetup;
    }
}

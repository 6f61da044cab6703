// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Block} from "./KettleVerifier.sol";

/// @notice All logs that a filter finds in a range of blocks, as a node signs it.
/// @param to the last block of the range
/// @param fromNumber the number of its first block
/// @param filterHash keccak-256 of the canonical JSON of the filter's address and topics
/// @param logsHash keccak-256 of the canonical JSON of the list of logs
/// @param count how many there are
/// @param complete always true: a node says all or nothing
/// @param issuedAt the slot time of the head on which the answer rests
/// @param validUntil until when the signature is to be relied upon
/// @param setup SHA-256 of the cluster statement of the node that signed
struct LogsStatement {
    Block to;
    uint64 fromNumber;
    bytes32 filterHash;
    bytes32 logsHash;
    uint32 count;
    bool complete;
    uint64 issuedAt;
    uint64 validUntil;
    bytes32 setup;
}

/// @notice The answer to another request, as a node signs it.
/// @param at the block that it is about
/// @param method the method's name
/// @param paramsHash keccak-256 of the canonical JSON of its parameters
/// @param resultHash keccak-256 of the canonical JSON of its result
/// @param issuedAt the slot time of the head on which the answer rests
/// @param validUntil until when the signature is to be relied upon
/// @param setup SHA-256 of the cluster statement of the node that signed
struct RpcStatement {
    Block at;
    string method;
    bytes32 paramsHash;
    bytes32 resultHash;
    uint64 issuedAt;
    uint64 validUntil;
    bytes32 setup;
}

/// @title The digests of statements about logs and about other answers
/// @notice What a signature of such a statement is over. A contract that relies on one recovers the signer from the digest, and asks its
///         registry and the clock as KettleVerifier does; what stands behind the hashes it has to be given, and hashes itself.
contract KettleDigests {
    /// @notice keccak-256 of the type string of LogsStatement, with the type that it uses.
    bytes32 public constant LOGS_STATEMENT_TYPEHASH = keccak256(
        "LogsStatement(Block to,uint64 fromNumber,bytes32 filterHash,bytes32 logsHash,uint32 count,bool complete,"
        "uint64 issuedAt,uint64 validUntil,bytes32 setup)"
        "Block(uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers)"
    );
    /// @notice keccak-256 of the type string of RpcStatement, with the type that it uses.
    bytes32 public constant RPC_STATEMENT_TYPEHASH = keccak256(
        "RpcStatement(Block at,string method,bytes32 paramsHash,bytes32 resultHash,uint64 issuedAt,uint64 validUntil,bytes32 setup)"
        "Block(uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers)"
    );
    bytes32 private constant BLOCK_TYPEHASH = keccak256(
        "Block(uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers)"
    );
    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,uint256 chainId)");

    /// @notice The EIP-712 digest of a statement about logs.
    /// @param statement what a node says
    /// @param chainId the chain that it is about
    /// @return the digest
    function logsDigest(LogsStatement calldata statement, uint256 chainId) external pure returns (bytes32) {
        return _digest(
            chainId,
            keccak256(
                abi.encode(
                    LOGS_STATEMENT_TYPEHASH,
                    keccak256(abi.encode(BLOCK_TYPEHASH, statement.to)),
                    statement.fromNumber,
                    statement.filterHash,
                    statement.logsHash,
                    statement.count,
                    statement.complete,
                    statement.issuedAt,
                    statement.validUntil,
                    statement.setup
                )
            )
        );
    }

    /// @notice The EIP-712 digest of a statement about another answer.
    /// @param statement what a node says
    /// @param chainId the chain that it is about
    /// @return the digest
    function rpcDigest(RpcStatement calldata statement, uint256 chainId) external pure returns (bytes32) {
        return _digest(
            chainId,
            keccak256(
                abi.encode(
                    RPC_STATEMENT_TYPEHASH,
                    keccak256(abi.encode(BLOCK_TYPEHASH, statement.at)),
                    keccak256(bytes(statement.method)),
                    statement.paramsHash,
                    statement.resultHash,
                    statement.issuedAt,
                    statement.validUntil,
                    statement.setup
                )
            )
        );
    }

    function _digest(uint256 chainId, bytes32 said) private pure returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Kettle"), keccak256("1"), chainId));
        return keccak256(abi.encodePacked(hex"1901", domain, said));
    }
}

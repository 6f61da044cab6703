// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a contract answers that takes tokens (ERC-721).
interface ITokenReceiver {
    /// @notice Called after a safe transfer.
    /// @param operator who moved the token
    /// @param from its owner before
    /// @param tokenId which
    /// @param data passed on
    /// @return this function's selector, else the transfer is undone
    function onERC721Received(address operator, address from, uint256 tokenId, bytes calldata data)
        external
        returns (bytes4);
}

/// @title Tokens that admit nodes to a cluster: ERC-721, with an owner, at most one token for each wallet
/// @notice One token for each wallet, so that who sends a transaction says which token is meant. Ids begin at 1 and are never given
///         twice. What a token is good for ends when it moves: the derived contract is told first.
abstract contract MembershipToken {
    /// @notice The collection's name.
    string public constant name = "DStack Cluster NFT";
    /// @notice The collection's symbol.
    string public constant symbol = "DSTACK";

    /// @notice Who runs the cluster; zero after renounceOwnership.
    address public owner;
    /// @notice The token of a wallet, or 0.
    mapping(address wallet => uint256) public walletToTokenId;
    /// @notice Whether an operator may move any token of an owner.
    mapping(address holder => mapping(address operator => bool)) public isApprovedForAll;
    uint32 internal _lastTokenId;
    uint32 internal _burned;
    mapping(uint256 tokenId => address) internal _holders;
    mapping(uint256 tokenId => address) private _approvals;

    /// @notice A token moved; from is zero for a new one, to is zero for one that is gone.
    /// @param from its owner before
    /// @param to its owner now
    /// @param tokenId which
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    /// @notice Somebody may move a token.
    /// @param owner its owner
    /// @param approved who may, or zero
    /// @param tokenId which
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    /// @notice Somebody may move all tokens of an owner, or no longer.
    /// @param owner whose tokens
    /// @param operator who
    /// @param approved what holds now
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    /// @notice The cluster has another owner.
    /// @param previousOwner who was
    /// @param newOwner who is
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    /// @notice The caller is not the one who may do this.
    /// @param caller who called
    error NotAllowed(address caller);
    /// @notice There is no token of this id.
    /// @param tokenId the id
    error NoSuchToken(uint256 tokenId);
    /// @notice The token belongs to somebody else than was said.
    /// @param holder its owner
    error WrongHolder(address holder);
    /// @notice The wallet has a token already: a second one would leave the first without a wallet that speaks for it.
    /// @param wallet which
    error WalletHasToken(address wallet);
    /// @notice The address zero, or one that takes no tokens.
    /// @param wallet which
    error BadAddress(address wallet);

    modifier onlyOwner() {
        require(msg.sender == owner, NotAllowed(msg.sender));
        _;
    }

    constructor() {
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
    }

    /// @notice Gives the cluster to another owner.
    /// @param newOwner who, not zero
    function transferOwnership(address newOwner) external onlyOwner {
        require(newOwner != address(0), BadAddress(newOwner));
        emit OwnershipTransferred(owner, newOwner);
        owner = newOwner;
    }

    /// @notice Leaves the cluster without an owner: nothing that only the owner may do can be done again.
    function renounceOwnership() external onlyOwner {
        emit OwnershipTransferred(owner, address(0));
        owner = address(0);
    }

    /// @notice How many tokens there are.
    /// @return their number
    function totalSupply() external view returns (uint256) {
        return _lastTokenId - _burned;
    }

    /// @notice How many tokens a wallet has: 0 or 1.
    /// @param wallet which, not zero
    /// @return their number
    function balanceOf(address wallet) external view returns (uint256) {
        require(wallet != address(0), BadAddress(wallet));
        return walletToTokenId[wallet] == 0 ? 0 : 1;
    }

    /// @notice Whose a token is.
    /// @param tokenId which
    /// @return its owner
    function ownerOf(uint256 tokenId) public view returns (address) {
        address holder = _holders[tokenId];
        require(holder != address(0), NoSuchToken(tokenId));
        return holder;
    }

    /// @notice Tokens have no document.
    /// @param tokenId which
    /// @return an empty text
    function tokenURI(uint256 tokenId) external view returns (string memory) {
        ownerOf(tokenId);
        return "";
    }

    /// @notice Who beside its owner may move a token.
    /// @param tokenId which
    /// @return who, or zero
    function getApproved(uint256 tokenId) external view returns (address) {
        ownerOf(tokenId);
        return _approvals[tokenId];
    }

    /// @notice Lets somebody move a token.
    /// @param to who, or zero for nobody
    /// @param tokenId which
    function approve(address to, uint256 tokenId) external {
        address holder = ownerOf(tokenId);
        require(msg.sender == holder || isApprovedForAll[holder][msg.sender], NotAllowed(msg.sender));
        _approvals[tokenId] = to;
        emit Approval(holder, to, tokenId);
    }

    /// @notice Lets somebody move all tokens of the caller, or no longer.
    /// @param operator who, not zero
    /// @param approved what holds from now on
    function setApprovalForAll(address operator, bool approved) external {
        require(operator != address(0), BadAddress(operator));
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    /// @notice Moves a token; its instance ends.
    /// @param from its owner
    /// @param to its owner from now on, without a token so far
    /// @param tokenId which
    function transferFrom(address from, address to, uint256 tokenId) public {
        address holder = ownerOf(tokenId);
        require(holder == from, WrongHolder(holder));
        require(
            msg.sender == holder || msg.sender == _approvals[tokenId] || isApprovedForAll[holder][msg.sender],
            NotAllowed(msg.sender)
        );
        _take(tokenId);
        _give(to, tokenId);
        emit Transfer(from, to, tokenId);
    }

    /// @notice Moves a token to a wallet, or to a contract that says that it takes tokens.
    /// @param from its owner
    /// @param to its owner from now on, without a token so far
    /// @param tokenId which
    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        safeTransferFrom(from, to, tokenId, "");
    }

    /// @notice Moves a token to a wallet, or to a contract that says that it takes tokens.
    /// @param from its owner
    /// @param to its owner from now on, without a token so far
    /// @param tokenId which
    /// @param data passed on to the contract
    function safeTransferFrom(address from, address to, uint256 tokenId, bytes memory data) public {
        transferFrom(from, to, tokenId);
        if (to.code.length == 0) return;
        bytes4 said = ITokenReceiver(to).onERC721Received(msg.sender, from, tokenId, data);
        require(said == ITokenReceiver.onERC721Received.selector, BadAddress(to));
    }

    /// @notice ERC-165: which interfaces this contract has.
    /// @param interfaceId the interface's id
    /// @return whether it has it
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == 0x01ffc9a7 || interfaceId == 0x80ac58cd || interfaceId == 0x5b5e139f;
    }

    /// @dev Told before a token leaves its owner.
    function _ending(uint256 tokenId) internal virtual;

    function _mint(address to) internal returns (uint256 tokenId) {
        tokenId = ++_lastTokenId;
        _give(to, tokenId);
        emit Transfer(address(0), to, tokenId);
    }

    function _burn(uint256 tokenId) internal {
        address holder = ownerOf(tokenId);
        _take(tokenId);
        delete _holders[tokenId];
        _burned++;
        emit Transfer(holder, address(0), tokenId);
    }

    function _give(address to, uint256 tokenId) private {
        require(to != address(0), BadAddress(to));
        require(walletToTokenId[to] == 0, WalletHasToken(to));
        walletToTokenId[to] = tokenId;
        _holders[tokenId] = to;
    }

    function _take(uint256 tokenId) private {
        _ending(tokenId);
        delete _approvals[tokenId];
        delete walletToTokenId[_holders[tokenId]];
    }
}

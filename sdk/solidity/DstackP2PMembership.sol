// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DstackChain} from "./DstackChain.sol";
import {MembershipToken} from "./MembershipToken.sol";

/// @title Members of a cluster of dstack nodes, and where they are reached
/// @notice The interface of the DStack P2P SDK's specification and of the published DstackMembershipNFT: every function, event and
///         getter of both. The life of a member: the owner mints a token to the address of a key that only the TEE has; that key
///         sends registerInstance, bindInstance (which proves by the KMS's signatures that it is a key of an allowed app), then
///         registerPeer, then updateHeartbeat from time to time. Endpoints are computed when they are read.
///         The list says where to dial. Whether who answers there is a TEE of the right program, its attestation says.
contract DstackP2PMembership is MembershipToken {
    /// @notice How a member is reached: through a dstack gateway, or by its address in the cluster's WireGuard network.
    enum NetworkType {
        TLS_GATEWAY,
        WIREGUARD
    }

    /// @notice What a KMS asks about an instance.
    /// @param instanceId the instance
    /// @param imageHash not looked at
    /// @param timestamp not looked at
    struct AppBootInfo {
        string instanceId;
        bytes32 imageHash;
        uint256 timestamp;
    }

    /// @notice A member, as getMembers tells it.
    /// @param tokenId its token
    /// @param wallet whose token it is; if bound, the address of a key of an allowed app
    /// @param bound whether bindInstance was done
    /// @param networkType how it is reached
    /// @param ipIndex the last number of its WireGuard address, or 0
    /// @param lastHeartbeat when it was last heard, seconds since 1970; 0: it has not registered where it is reached
    /// @param instanceId its instance
    /// @param endpoint where it is reached, or empty
    struct Member {
        uint256 tokenId;
        address wallet;
        bool bound;
        NetworkType networkType;
        uint8 ipIndex;
        uint64 lastHeartbeat;
        string instanceId;
        string endpoint;
    }

    struct Seat {
        uint64 heartbeat; // 0: no peer registered
        uint16 position; // in _active
        uint8 ipIndex;
        NetworkType networkType;
        bool active;
        bool bound;
        bool hasUrl; // its endpoint is _urls, not computed
    }

    /// @notice The purpose with which a node asks for the key that it binds.
    string public constant PURPOSE = "kettle-p2p";
    /// @notice How long a WireGuard address that became free is given to nobody, in seconds: readers have forgotten it by then.
    uint256 public constant ADDRESS_REST = 2 hours;
    /// @notice How long a new cluster key or order is announced before it can be confirmed, in seconds.
    uint256 public constant NOTICE = 1 days;
    /// @notice The most that maxNodes can be.
    uint256 public constant MAX_NODES = 1024;
    uint256 private constant ADDRESSES = 254;
    uint256 private constant ID_MAX = 56; // with the longest suffix a DNS label
    uint256 private constant URL_MAX = 253;

    // One slot: what registerPeer and updateHeartbeat read.
    uint32 private _heartbeatTimeout;
    uint16 private _maxNodes = 100;
    /// @notice Whether anybody may mint who pays. A cluster whose seats come from here refuses such a contract.
    bool public publicMinting;
    /// @notice With it, registerPeer with eight arguments takes what the published contract takes from a token's owner: any app of
    ///         the KMS, a derived key that is not the sender's, any URL. It never loosens bindInstance.
    bool public devMode;
    /// @notice How members are reached that register without arguments.
    NetworkType public networkType;
    /// @notice Whose signature says which keys are an app's.
    address public kmsRootAddress;

    /// @notice What a token costs under public minting, in wei.
    uint256 public mintPrice;
    /// @notice The token of an instance, or 0.
    mapping(string instanceId => uint256) public instanceToToken;
    /// @notice The instance of a token, or empty.
    mapping(uint256 tokenId => string) public tokenToInstance;
    /// @notice Under which domains endpoints may be.
    mapping(string domain => bool) public allowedBaseDomains;
    /// @notice Whose keys can be bound: ids of dstack apps.
    mapping(bytes20 appId => bool) public allowedApps;
    /// @notice The gateway's domain, of which endpoints are computed.
    string public baseDomain;
    /// @notice What follows the instance in the gateway's name: "-s" is TLS to port 443 of the node, "-3032s" to port 3032.
    string public gatewaySuffix;
    /// @notice The cluster's public key, 33 bytes, or empty. A reader takes it only as an anchor: a log of keys must contain it.
    bytes public clusterKey;
    /// @notice The announced cluster key, or empty.
    bytes public pendingClusterKey;
    /// @notice When pendingClusterKey can be confirmed, seconds since 1970, or 0.
    uint256 public clusterKeyFrom;
    /// @notice The hash of the operators' order in force, or zero.
    bytes32 public orderDigest;
    /// @notice The announced order, or zero.
    bytes32 public pendingOrder;
    /// @notice When pendingOrder can be confirmed, seconds since 1970, or 0.
    uint256 public orderFrom;

    uint32[] private _active; // tokens of active instances, in no order
    mapping(uint256 tokenId => Seat) private _seats;
    mapping(uint256 tokenId => string) private _urls;
    uint256 private _addressesUsed; // bit i: 10.0.1.i is somebody's
    uint40[ADDRESSES + 1] private _addressFreedAt;

    /// @notice An instance became active.
    /// @param instanceId which
    /// @param tokenId its token
    event InstanceRegistered(string indexed instanceId, uint256 indexed tokenId);
    /// @notice The sender showed that it is a key of an allowed app.
    /// @param instanceId its instance
    /// @param tokenId its token
    /// @param appId the app
    event InstanceBound(string indexed instanceId, uint256 indexed tokenId, bytes20 appId);
    /// @notice An instance ended.
    /// @param instanceId which
    event InstanceDeactivated(string indexed instanceId);
    /// @notice An instance is reached here.
    /// @param instanceId which
    /// @param connectionUrl where
    event PeerRegistered(string indexed instanceId, string connectionUrl);
    /// @notice The owner changed who may mint and how many may be active.
    /// @param maxNodes how many instances may be active
    /// @param publicMinting whether anybody may mint
    /// @param mintPrice for how many wei
    event ClusterConfigUpdated(uint256 maxNodes, bool publicMinting, uint256 mintPrice);
    /// @notice Endpoints may be under this domain.
    /// @param baseDomain the domain
    event BaseDomainAdded(string indexed baseDomain);
    /// @notice Endpoints may no longer be under this domain.
    /// @param baseDomain the domain
    event BaseDomainRemoved(string indexed baseDomain);
    /// @notice Another KMS's signatures are taken.
    /// @param oldAddress whose until now
    /// @param newAddress whose from now on
    event KmsRootAddressUpdated(address indexed oldAddress, address indexed newAddress);
    /// @notice Keys of an app can be bound, or no longer. What was bound stays bound.
    /// @param appId the app
    /// @param allowed what holds now
    event AppAllowed(bytes20 indexed appId, bool allowed);
    /// @notice The owner changed how members are reached.
    /// @param networkType how those that register from now on are
    /// @param heartbeatTimeout seconds without heartbeat until one is left out of the list; 0: never
    event NetworkUpdated(NetworkType networkType, uint256 heartbeatTimeout);
    /// @notice Endpoints are computed of these.
    /// @param baseDomain the gateway's domain
    /// @param gatewaySuffix what follows the instance
    event GatewayUpdated(string baseDomain, string gatewaySuffix);
    /// @notice A cluster key was announced.
    /// @param key 33 bytes
    /// @param from when it can be confirmed
    event ClusterKeyAnnounced(bytes key, uint256 from);
    /// @notice The cluster's key is another one.
    /// @param key 33 bytes
    event ClusterKeySet(bytes key);
    /// @notice An order was announced.
    /// @param digest its hash
    /// @param from when it can be confirmed
    event OrderAnnounced(bytes32 digest, uint256 from);
    /// @notice Another order is in force.
    /// @param digest its hash
    event OrderSet(bytes32 digest);

    /// @notice The caller has no token.
    /// @param caller who called
    error NoToken(address caller);
    /// @notice The instance is another token's.
    /// @param tokenId whose
    error InstanceTaken(uint256 tokenId);
    /// @notice The token has an instance already.
    /// @param tokenId which
    error TokenInUse(uint256 tokenId);
    /// @notice There is no such active instance, or it is another token's than the caller's.
    error NotYourInstance();
    /// @notice The instance is not bound to the sender's key.
    error NotBound();
    /// @notice No peer was registered for the instance.
    error NotRegistered();
    /// @notice As many instances as may be are active.
    error ClusterFull();
    /// @notice All WireGuard addresses are in use, or were until a short time ago.
    error NoAddressFree();
    /// @notice The price was not paid, or nothing is sold.
    /// @param value what was sent
    error WrongPayment(uint256 value);
    /// @notice The derived key is another one than the sender's.
    /// @param derived its address
    error WrongSender(address derived);
    /// @notice Keys of this app are not taken.
    /// @param appId the app
    error AppNotAllowed(bytes20 appId);
    /// @notice A name, domain, URL, key or number that cannot be one.
    /// @param what which
    error Malformed(string what);
    /// @notice The domain is not one of allowedBaseDomains.
    error DomainNotAllowed();
    /// @notice This was not announced, or is confirmed too early.
    /// @param from when it can be confirmed, or 0
    error NotAnnounced(uint256 from);

    /// @param root address of the KMS's root key, not zero
    constructor(address root) {
        require(root != address(0), BadAddress(root));
        kmsRootAddress = root;
        emit KmsRootAddressUpdated(address(0), root);
    }

    // What a node does.

    /// @notice Makes an instance the caller's token's.
    /// @param instanceId 1 to 56 digits and lower-case letters
    function registerInstance(string calldata instanceId) external {
        uint256 tokenId = _tokenOf(msg.sender);
        require(instanceToToken[instanceId] == 0, InstanceTaken(instanceToToken[instanceId]));
        require(!_seats[tokenId].active, TokenInUse(tokenId));
        require(_active.length < _maxNodes, ClusterFull());
        require(_isName(bytes(instanceId)), Malformed("instanceId"));
        instanceToToken[instanceId] = tokenId;
        tokenToInstance[tokenId] = instanceId;
        _seats[tokenId].active = true;
        _seats[tokenId].position = uint16(_active.length);
        _active.push(uint32(tokenId));
        emit InstanceRegistered(instanceId, tokenId);
    }

    /// @notice Shows that the sender's key is one that the KMS gave to an allowed app for PURPOSE. It does not say to which
    ///         instance of the app: they trust each other as far as their measured program does.
    /// @param instanceId the caller's instance
    /// @param derivedXY the sender's public key, 64 bytes
    /// @param appXY the app's public key, 64 bytes
    /// @param appSig by the app key over the derived key
    /// @param kmsSig by the KMS over the app key
    /// @param appId the app
    function bindInstance(
        string calldata instanceId,
        bytes calldata derivedXY,
        bytes calldata appXY,
        bytes calldata appSig,
        bytes calldata kmsSig,
        bytes20 appId
    ) external {
        uint256 tokenId = _ownTokenOf(instanceId);
        address derived = DstackChain.addressOf(derivedXY);
        require(derived == msg.sender, WrongSender(derived));
        require(allowedApps[appId], AppNotAllowed(appId));
        DstackChain.check(
            kmsRootAddress,
            appId,
            bytes(PURPOSE),
            DstackChain.compress(derivedXY),
            DstackChain.compress(appXY),
            DstackChain.addressOf(appXY),
            appSig,
            kmsSig
        );
        _seats[tokenId].bound = true;
        emit InstanceBound(instanceId, tokenId, appId);
    }

    /// @notice Lists the caller's bound instance, at the endpoint that follows from its token; also its first heartbeat.
    function registerPeer() external {
        uint256 tokenId = _tokenOf(msg.sender);
        Seat memory seat = _seats[tokenId];
        require(seat.bound, NotBound());
        seat.networkType = networkType;
        if (seat.networkType == NetworkType.TLS_GATEWAY) {
            require(bytes(baseDomain).length != 0, DomainNotAllowed());
            _freeAddress(seat);
        } else if (seat.ipIndex == 0) {
            seat.ipIndex = _takeAddress();
        }
        if (seat.hasUrl) delete _urls[tokenId];
        seat.hasUrl = false;
        seat.heartbeat = uint64(block.timestamp);
        _seats[tokenId] = seat;
        string memory instanceId = tokenToInstance[tokenId];
        emit PeerRegistered(instanceId, _endpoint(tokenId, seat, instanceId));
    }

    /// @notice Lists the caller's instance at a URL: the published contract's form. The chain's derived key must be the sender's
    ///         and its app allowed, and the URL under an allowed domain, but with devMode.
    /// @param instanceId the caller's instance
    /// @param derivedPublicKey 33 bytes
    /// @param appPublicKey 33 bytes
    /// @param appSignature by the app key over purpose and derived key
    /// @param kmsSignature by the KMS over the app key
    /// @param connectionUrl https, one label under an allowed domain, at most one "/" after it
    /// @param purpose what the derived key was asked for
    /// @param appId the app, in the first 20 bytes
    function registerPeer(
        string calldata instanceId,
        bytes calldata derivedPublicKey,
        bytes calldata appPublicKey,
        bytes calldata appSignature,
        bytes calldata kmsSignature,
        string calldata connectionUrl,
        string calldata purpose,
        bytes32 appId
    ) external {
        uint256 tokenId = _ownTokenOf(instanceId);
        DstackChain.check(
            kmsRootAddress,
            bytes20(appId),
            bytes(purpose),
            derivedPublicKey,
            appPublicKey,
            DstackChain.addressOfCompressed(appPublicKey),
            appSignature,
            kmsSignature
        );
        if (!devMode) _checkStrictly(derivedPublicKey, bytes20(appId), bytes(connectionUrl));
        require(_isText(bytes(connectionUrl)), Malformed("connectionUrl"));
        Seat memory seat = _seats[tokenId];
        _freeAddress(seat);
        seat.networkType = NetworkType.TLS_GATEWAY;
        seat.hasUrl = true;
        seat.heartbeat = uint64(block.timestamp);
        _seats[tokenId] = seat;
        _urls[tokenId] = connectionUrl;
        emit PeerRegistered(instanceId, connectionUrl);
    }

    /// @notice Says that the caller's instance, which is listed, is alive.
    function updateHeartbeat() external {
        Seat storage seat = _seats[_tokenOf(msg.sender)];
        require(seat.heartbeat != 0, NotRegistered());
        seat.heartbeat = uint64(block.timestamp);
    }

    /// @notice Ends an instance; its token can take another one. Its owner may, and the cluster's owner.
    /// @param instanceId which
    function deactivateInstance(string calldata instanceId) external {
        uint256 tokenId = instanceToToken[instanceId];
        require(tokenId != 0, NotYourInstance());
        require(msg.sender == owner || walletToTokenId[msg.sender] == tokenId, NotYourInstance());
        _ending(tokenId);
    }

    // What anybody reads.

    /// @notice Where the members are reached that were heard within the heartbeat timeout, in order of token.
    /// @return endpoints `https://…` or `10.0.1.x`
    function getPeerEndpoints() external view returns (string[] memory endpoints) {
        uint256[] memory tokens = _sorted();
        endpoints = new string[](tokens.length);
        uint256 n = 0;
        for (uint256 i = 0; i < tokens.length; i++) {
            Seat memory seat = _seats[tokens[i]];
            if (_isHeard(seat)) endpoints[n++] = _endpoint(tokens[i], seat, tokenToInstance[tokens[i]]);
        }
        assembly ("memory-safe") {
            mstore(endpoints, n)
        }
    }

    /// @notice All active instances, heard or not, in order of token.
    /// @return instances their ids
    function getActiveInstances() external view returns (string[] memory instances) {
        uint256[] memory tokens = _sorted();
        instances = new string[](tokens.length);
        for (uint256 i = 0; i < tokens.length; i++) instances[i] = tokenToInstance[tokens[i]];
    }

    /// @notice All active instances with what is known of them, heard or not, in order of token.
    /// @return members one for each
    function getMembers() external view returns (Member[] memory members) {
        uint256[] memory tokens = _sorted();
        members = new Member[](tokens.length);
        for (uint256 i = 0; i < tokens.length; i++) {
            Seat memory seat = _seats[tokens[i]];
            string memory instanceId = tokenToInstance[tokens[i]];
            members[i] = Member({
                tokenId: tokens[i],
                wallet: _holders[tokens[i]],
                bound: seat.bound,
                networkType: seat.networkType,
                ipIndex: seat.ipIndex,
                lastHeartbeat: seat.heartbeat,
                instanceId: instanceId,
                endpoint: _endpoint(tokens[i], seat, instanceId)
            });
        }
    }

    /// @notice An instance's token, whether it is active, and whose it is.
    /// @param instanceId which
    /// @return tokenId its token, or 0
    /// @return active whether it is active
    /// @return ownerAddr its token's owner, or zero
    function getInstanceInfo(string calldata instanceId)
        external
        view
        returns (uint256 tokenId, bool active, address ownerAddr)
    {
        tokenId = instanceToToken[instanceId];
        active = tokenId != 0;
        ownerAddr = _holders[tokenId];
    }

    /// @notice Whether an instance is active: what a KMS asks.
    /// @param bootInfo of which only the instance is looked at
    /// @return whether it is
    function isAppAllowed(AppBootInfo calldata bootInfo) external view returns (bool) {
        return activeInstances(bootInfo.instanceId);
    }

    /// @notice Whether an instance is active.
    /// @param instanceId which
    /// @return whether it is
    function activeInstances(string calldata instanceId) public view returns (bool) {
        return instanceToToken[instanceId] != 0;
    }

    /// @notice Where an instance is reached, heard or not.
    /// @param instanceId which
    /// @return its endpoint, or empty
    function instanceToEndpoint(string calldata instanceId) public view returns (string memory) {
        uint256 tokenId = instanceToToken[instanceId];
        return _endpoint(tokenId, _seats[tokenId], instanceId);
    }

    /// @notice The published contract's name for instanceToEndpoint.
    /// @param instanceId which
    /// @return its endpoint, or empty
    function instanceToConnectionUrl(string calldata instanceId) external view returns (string memory) {
        return instanceToEndpoint(instanceId);
    }

    /// @notice How an instance is reached.
    /// @param instanceId which
    /// @return TLS_GATEWAY also when there is no such instance
    function instanceToNetworkType(string calldata instanceId) external view returns (NetworkType) {
        return _seats[instanceToToken[instanceId]].networkType;
    }

    /// @notice When an instance was last heard.
    /// @param instanceId which
    /// @return seconds since 1970, or 0
    function lastHeartbeat(string calldata instanceId) external view returns (uint256) {
        return _seats[instanceToToken[instanceId]].heartbeat;
    }

    /// @notice The last number of an instance's WireGuard address.
    /// @param instanceId which
    /// @return 1 to 254, or 0 for none
    function ipIndex(string calldata instanceId) external view returns (uint256) {
        return _seats[instanceToToken[instanceId]].ipIndex;
    }

    /// @notice How many instances may be active.
    /// @return their number
    function maxNodes() external view returns (uint256) {
        return _maxNodes;
    }

    /// @notice After how many seconds without heartbeat a member is left out of the list.
    /// @return seconds; 0: never
    function heartbeatTimeout() external view returns (uint256) {
        return _heartbeatTimeout;
    }

    // What the owner does.

    /// @notice Admits a node. Without public minting only the owner may, and pays nothing.
    /// @param to the address of the node's key, without a token so far
    /// @return tokenId its token
    function mintNodeAccess(address to, string calldata) external payable returns (uint256 tokenId) {
        if (publicMinting) {
            require(msg.value >= mintPrice, WrongPayment(msg.value));
        } else {
            require(msg.sender == owner, NotAllowed(msg.sender));
            require(msg.value == 0, WrongPayment(msg.value));
        }
        return _mint(to);
    }

    /// @notice Expels a node: its instance ends and its token is gone.
    /// @param tokenId its token
    function revokeNode(uint256 tokenId) external onlyOwner {
        _burn(tokenId);
    }

    /// @notice Sets who may mint and how many instances may be active; more that are active already stay.
    /// @param nodes how many, at most MAX_NODES
    /// @param anybody whether anybody may mint
    /// @param price for how many wei
    function setClusterConfig(uint256 nodes, bool anybody, uint256 price) external onlyOwner {
        require(nodes <= MAX_NODES, Malformed("maxNodes"));
        _maxNodes = uint16(nodes);
        publicMinting = anybody;
        mintPrice = price;
        emit ClusterConfigUpdated(nodes, anybody, price);
    }

    /// @notice Sets how members are reached that register from now on, and when they are left out.
    /// @param kind how
    /// @param timeout seconds without heartbeat, at most 2^32-1; 0: never
    function setNetwork(NetworkType kind, uint256 timeout) external onlyOwner {
        require(timeout <= type(uint32).max, Malformed("heartbeatTimeout"));
        networkType = kind;
        _heartbeatTimeout = uint32(timeout);
        emit NetworkUpdated(kind, timeout);
    }

    /// @notice Sets of what endpoints are computed.
    /// @param domain the gateway's, one of allowedBaseDomains
    /// @param suffix empty, or "-", an optional port, and "s" (TLS to the node), "g" (gRPC) or nothing
    function setGateway(string calldata domain, string calldata suffix) external onlyOwner {
        require(allowedBaseDomains[domain], DomainNotAllowed());
        require(_isSuffix(bytes(suffix)), Malformed("suffix"));
        baseDomain = domain;
        gatewaySuffix = suffix;
        emit GatewayUpdated(domain, suffix);
    }

    /// @notice Lets registerPeer with eight arguments take what the published contract takes, or no longer.
    /// @param on what holds from now on
    function setDevMode(bool on) external onlyOwner {
        devMode = on;
    }

    /// @notice Allows endpoints under a domain.
    /// @param domain lower-case labels with dots between
    function addBaseDomain(string calldata domain) external onlyOwner {
        require(_isDomain(bytes(domain)), Malformed("baseDomain"));
        allowedBaseDomains[domain] = true;
        emit BaseDomainAdded(domain);
    }

    /// @notice Allows no more endpoints under a domain; those that are there stay. Not of the gateway's domain itself.
    /// @param domain which
    function removeBaseDomain(string calldata domain) external onlyOwner {
        require(keccak256(bytes(domain)) != keccak256(bytes(baseDomain)), Malformed("baseDomain"));
        delete allowedBaseDomains[domain];
        emit BaseDomainRemoved(domain);
    }

    /// @notice Takes another KMS's signatures. What was bound stays bound.
    /// @param root address of its root key, not zero
    function setKmsRootAddress(address root) external onlyOwner {
        require(root != address(0), BadAddress(root));
        emit KmsRootAddressUpdated(kmsRootAddress, root);
        kmsRootAddress = root;
    }

    /// @notice Lets keys of an app be bound, or no longer. What was bound stays bound: revokeNode.
    /// @param appId the app
    /// @param allowed what holds from now on
    function setAppAllowed(bytes20 appId, bool allowed) external onlyOwner {
        allowedApps[appId] = allowed;
        emit AppAllowed(appId, allowed);
    }

    /// @notice Announces the cluster's key; it is set by confirmClusterKey when NOTICE is over.
    /// @param key 33 bytes
    function setClusterKey(bytes calldata key) external onlyOwner {
        require(key.length == 33 && (key[0] == 0x02 || key[0] == 0x03), Malformed("clusterKey"));
        pendingClusterKey = key;
        clusterKeyFrom = block.timestamp + NOTICE;
        emit ClusterKeyAnnounced(key, clusterKeyFrom);
    }

    /// @notice Sets the cluster's key that was announced.
    /// @param key the same
    function confirmClusterKey(bytes calldata key) external onlyOwner {
        bool announced = clusterKeyFrom != 0 && keccak256(key) == keccak256(pendingClusterKey);
        require(announced && block.timestamp >= clusterKeyFrom, NotAnnounced(announced ? clusterKeyFrom : 0));
        clusterKey = key;
        delete pendingClusterKey;
        delete clusterKeyFrom;
        emit ClusterKeySet(key);
    }

    /// @notice Announces an order; it is set by confirmOrder when NOTICE is over.
    /// @param digest its hash
    function setOrder(bytes32 digest) external onlyOwner {
        pendingOrder = digest;
        orderFrom = block.timestamp + NOTICE;
        emit OrderAnnounced(digest, orderFrom);
    }

    /// @notice Sets the order that was announced.
    /// @param digest the same
    function confirmOrder(bytes32 digest) external onlyOwner {
        bool announced = orderFrom != 0 && digest == pendingOrder;
        require(announced && block.timestamp >= orderFrom, NotAnnounced(announced ? orderFrom : 0));
        orderDigest = digest;
        delete pendingOrder;
        delete orderFrom;
        emit OrderSet(digest);
    }

    /// @notice Sends what was paid for tokens.
    /// @param to where
    function withdraw(address payable to) external onlyOwner {
        (bool ok,) = to.call{value: address(this).balance}("");
        require(ok, BadAddress(to));
    }

    function _ending(uint256 tokenId) internal override {
        Seat memory seat = _seats[tokenId];
        if (!seat.active) return;
        string memory instanceId = tokenToInstance[tokenId];
        uint32 last = _active[_active.length - 1];
        _active[seat.position] = last;
        _seats[last].position = seat.position;
        _active.pop();
        _freeAddress(seat);
        if (seat.hasUrl) delete _urls[tokenId];
        delete _seats[tokenId];
        delete instanceToToken[instanceId];
        delete tokenToInstance[tokenId];
        emit InstanceDeactivated(instanceId);
    }

    function _tokenOf(address caller) private view returns (uint256 tokenId) {
        tokenId = walletToTokenId[caller];
        require(tokenId != 0, NoToken(caller));
    }

    function _ownTokenOf(string calldata instanceId) private view returns (uint256 tokenId) {
        tokenId = instanceToToken[instanceId];
        require(tokenId != 0 && walletToTokenId[msg.sender] == tokenId, NotYourInstance());
    }

    function _checkStrictly(bytes calldata derivedPublicKey, bytes20 appId, bytes calldata url) private view {
        address derived = DstackChain.addressOfCompressed(derivedPublicKey);
        require(derived == msg.sender, WrongSender(derived));
        require(allowedApps[appId], AppNotAllowed(appId));
        require(url.length > 8 && bytes8(url[:8]) == "https://", Malformed("connectionUrl"));
        uint256 dot = 8;
        while (dot < url.length && _isLabelByte(url[dot])) dot++;
        require(dot > 8 && dot - 8 <= 63 && dot < url.length && url[dot] == ".", Malformed("connectionUrl"));
        uint256 end = url[url.length - 1] == "/" ? url.length - 1 : url.length;
        require(end > dot && allowedBaseDomains[string(url[dot + 1:end])], DomainNotAllowed());
    }

    /// @dev The smallest address that is nobody's and was nobody's for ADDRESS_REST.
    function _takeAddress() private returns (uint8) {
        uint256 used = _addressesUsed;
        for (uint256 i = 1; i <= ADDRESSES; i++) {
            if (used & (1 << i) != 0) continue;
            uint256 freedAt = _addressFreedAt[i];
            if (freedAt != 0 && block.timestamp < freedAt + ADDRESS_REST) continue;
            _addressesUsed = used | (1 << i);
            return uint8(i);
        }
        revert NoAddressFree();
    }

    function _freeAddress(Seat memory seat) private {
        if (seat.ipIndex == 0) return;
        _addressesUsed &= ~(1 << uint256(seat.ipIndex));
        _addressFreedAt[seat.ipIndex] = uint40(block.timestamp);
        seat.ipIndex = 0;
    }

    function _isHeard(Seat memory seat) private view returns (bool) {
        uint256 timeout = _heartbeatTimeout;
        return seat.heartbeat != 0 && (timeout == 0 || block.timestamp <= seat.heartbeat + timeout);
    }

    function _endpoint(uint256 tokenId, Seat memory seat, string memory instanceId) private view returns (string memory) {
        if (seat.heartbeat == 0) return "";
        if (seat.hasUrl) return _urls[tokenId];
        if (seat.networkType == NetworkType.WIREGUARD) return string.concat("10.0.1.", _decimal(seat.ipIndex));
        return string.concat("https://", instanceId, gatewaySuffix, ".", baseDomain);
    }

    /// @dev Tokens of active instances in ascending order. They mostly are in order already.
    function _sorted() private view returns (uint256[] memory tokens) {
        uint256 n = _active.length;
        tokens = new uint256[](n);
        for (uint256 i = 0; i < n; i++) {
            uint256 token = _active[i];
            uint256 at = i;
            for (; at > 0 && tokens[at - 1] > token; at--) tokens[at] = tokens[at - 1];
            tokens[at] = token;
        }
    }

    function _decimal(uint256 n) private pure returns (string memory) {
        bytes memory text = new bytes(n < 10 ? 1 : n < 100 ? 2 : 3);
        for (uint256 i = text.length; i > 0; n /= 10) text[--i] = bytes1(uint8(48 + n % 10));
        return string(text);
    }

    function _isAlphanumeric(bytes1 c) private pure returns (bool) {
        return (c >= "0" && c <= "9") || (c >= "a" && c <= "z");
    }

    function _isLabelByte(bytes1 c) private pure returns (bool) {
        return _isAlphanumeric(c) || c == "-";
    }

    function _isName(bytes calldata text) private pure returns (bool) {
        if (text.length == 0 || text.length > ID_MAX) return false;
        for (uint256 i = 0; i < text.length; i++) if (!_isAlphanumeric(text[i])) return false;
        return true;
    }

    /// @dev Labels of 1 to 63 bytes, dots between, none at an end; with a label before it at most 253 bytes.
    function _isDomain(bytes calldata text) private pure returns (bool) {
        uint256 label = 0;
        if (text.length > URL_MAX - 64) return false;
        for (uint256 i = 0; i < text.length; i++) {
            bool dot = text[i] == ".";
            if (!_isLabelByte(text[i]) && !(dot && label > 0)) return false;
            label = dot ? 0 : label + 1;
            if (label > 63) return false;
        }
        return label > 0;
    }

    function _isSuffix(bytes calldata text) private pure returns (bool) {
        if (text.length == 0) return true;
        uint256 port = 0;
        uint256 i = 1;
        for (; i < text.length && i < 6 && text[i] >= "0" && text[i] <= "9"; i++) port = 10 * port + uint8(text[i]) - 48;
        if (i < text.length && (text[i] == "s" || text[i] == "g")) i++;
        return text[0] == "-" && i == text.length && port < 65536 && (text.length == 1 || text[1] != "0");
    }

    /// @dev 1 to 253 visible ASCII characters.
    function _isText(bytes calldata text) private pure returns (bool) {
        if (text.length == 0 || text.length > URL_MAX) return false;
        for (uint256 i = 0; i < text.length; i++) if (text[i] <= 0x20 || text[i] >= 0x7f) return false;
        return true;
    }
}

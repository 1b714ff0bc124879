import CDPDK

/// A data message that came before its turn. It says which session it is for by numbers, not by addresses: until it is
/// delivered, the session may have gone and another one may be in its place.
struct HeldMessage {
    /// DPDK's buffer, owned by the `ReorderBuffer`.
    var mbuf: OpaquePointer
    /// Fingerprint of the session's access header: whom the message is for.
    var identity: UInt64
    /// Cycle count from which on the messages before it are waited for no more.
    var deadline: UInt64
    /// Downstream slot, at most the session mask.
    var slot: UInt32
    /// Local tunnel id.
    var tunnel: UInt32
    /// Octets from the frame's first byte to the PPP protocol field.
    var payloadOffset: UInt32
    /// Octets of PPP from the protocol field on.
    var payloadLength: UInt32
    /// Local session id, host byte order.
    var sessionID: UInt16
    /// Ns, host byte order.
    var sequence: UInt16
    /// The session's next message in the order of Ns.
    var nextInSession: UInt32 = ReorderBuffer.none
    /// In a session's first message: the first message of another session whose slot falls into the same bucket.
    var nextSession: UInt32 = ReorderBuffer.none
    /// Neighbours in the order of arrival.
    var older: UInt32 = ReorderBuffer.none
    var newer: UInt32 = ReorderBuffer.none
}

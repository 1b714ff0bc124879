/// States of a control connection (RFC 2661, section 7.2.1). The raw value is what `show` prints.
public enum TunnelState: String, Sendable {
    /// Nothing was sent yet, or all is over.
    case idle = "IDLE"
    /// SCCRQ was sent.
    case waitControlReply = "WAITCTLREPLY"
    /// SCCRP was sent.
    case waitControlConnected = "WAITCTLCONN"
    /// Sessions can be opened.
    case established = "ESTABLISHED"
    /// StopCCN was sent or received: only acknowledgements are exchanged, until the peer cannot need one any more.
    case cleanup = "CLEANUP"
}

/// What happens to a tunnel. The raw value is what `show` prints.
public enum TunnelEvent: String, Sendable {
    case openRequest = "OPEN_REQ"
    case sccrqAccept = "SCCRQ_ACCEPT"
    case sccrqReject = "SCCRQ_REJECT"
    case sccrpAccept = "SCCRP_ACCEPT"
    case sccrpReject = "SCCRP_REJECT"
    case scccnAccept = "SCCCN_ACCEPT"
    case scccnReject = "SCCCN_REJECT"
    case stopReceived = "STOPCCN"
    case closeRequest = "CLOSE_REQ"
    case establishTimeout = "ESTABLISH_TIMEOUT"
    case idleTimeout = "IDLE_TIMEOUT"
    case transportDown = "XPRT_DOWN"
    case protocolError = "PROTOCOL_ERROR"
    case cleanupDone = "CLEANUP_DONE"
    case tieBreakerLost = "TIE_LOST"
    case restored = "RESTORED"
}

/// States of a session, LAC and LNS end (RFC 2661, sections 7.4.1 and 7.4.2). The raw value is what `show` prints.
public enum SessionState: String, Sendable {
    /// Nothing was sent yet.
    case idle = "IDLE"
    /// LAC: the tunnel is not up yet.
    case waitTunnel = "WAITTUNNEL"
    /// LAC: ICRQ was sent.
    case waitReply = "WAITREPLY"
    /// LNS: ICRP was sent.
    case waitConnect = "WAITCONNECT"
    /// Data flows.
    case established = "ESTABLISHED"
}

/// What happens to a session. The raw value is what `show` prints.
public enum SessionEvent: String, Sendable {
    case incomingCall = "INCALL_IND"
    case tunnelOpen = "TUNNEL_OPEN_IND"
    case icrqAccept = "ICRQ_ACCEPT"
    case icrpAccept = "ICRP_ACCEPT"
    case iccnAccept = "ICCN_ACCEPT"
    case restored = "RESTORED"
}

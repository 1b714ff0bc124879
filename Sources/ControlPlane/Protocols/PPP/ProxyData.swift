/// How the LAC authenticated the client: values of the Proxy Authen Type AVP (RFC 2661 section 4.4.5, IANA's registry of L2TP
/// parameters).
public enum ProxyAuthenType: UInt16, Sendable, CaseIterable {
    /// A user name and password typed as text.
    case textual = 1
    /// PPP CHAP.
    case chap = 2
    /// PPP PAP.
    case pap = 3
    /// Not at all.
    case none = 4
    /// Microsoft CHAP version 1.
    case msCHAPv1 = 5
    /// EAP: IANA's number, by draft-ietf-l2tpext-proxy-authen-ext-eap.
    case eap = 7
}

/// What a LAC has learned from its client and tells the LNS in ICCN (RFC 2661 section 4.4.5): proxy LCP and proxy
/// authentication. Byte runs are the values of the AVPs as they stand.
public struct ProxyData: Hashable, Sendable {
    /// Proxy Authen Type.
    public var authenType: ProxyAuthenType
    /// Proxy Authen Name: the user's name as it came; empty for type 4.
    public var authenName: [UInt8]
    /// Proxy Authen Challenge; empty unless the type is 2 or 5.
    public var authenChallenge: [UInt8]
    /// Proxy Authen ID, the low octet of the AVP's two: identifier of the challenge, of the PAP request, or of the EAP response.
    public var authenID: UInt8
    /// Proxy Authen Response: the CHAP response's value, PAP's password, or EAP's Response/Identity from its code on, which an
    /// LNS can hand to an EAP server as it stands.
    public var authenResponse: [UInt8]
    /// Initial Received LCP CONFREQ: options of the client's first Configure-Request.
    public var initialReceivedConfigureRequest: [UInt8]
    /// Last Sent LCP CONFREQ: options of our Configure-Request that the client acknowledged.
    public var lastSentConfigureRequest: [UInt8]
    /// Last Received LCP CONFREQ: options of the client's Configure-Request that we acknowledged.
    public var lastReceivedConfigureRequest: [UInt8]

    /// Proxy data with these values.
    public init(
        authenType: ProxyAuthenType, authenName: [UInt8], authenChallenge: [UInt8], authenID: UInt8,
        authenResponse: [UInt8], initialReceivedConfigureRequest: [UInt8], lastSentConfigureRequest: [UInt8],
        lastReceivedConfigureRequest: [UInt8]
    ) {
        self.authenType = authenType
        self.authenName = authenName
        self.authenChallenge = authenChallenge
        self.authenID = authenID
        self.authenResponse = authenResponse
        self.initialReceivedConfigureRequest = initialReceivedConfigureRequest
        self.lastSentConfigureRequest = lastSentConfigureRequest
        self.lastReceivedConfigureRequest = lastReceivedConfigureRequest
    }

    /// The user's name as text; octets that are not UTF-8 are shown as U+FFFD.
    public var userName: String { String(decoding: authenName, as: UTF8.self) }
}

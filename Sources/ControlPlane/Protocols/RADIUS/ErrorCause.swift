/// Error-Cause: why a session was not ended or changed (RFC 5176 section 3.5).
public enum ErrorCause: UInt32, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// 201: the session was gone, and what was left of it is gone now. In a Disconnect-ACK only.
    case residualSessionContextRemoved = 201
    /// 401: an attribute that the node does not support.
    case unsupportedAttribute = 401
    /// 402: an attribute is missing that the request needs.
    case missingAttribute = 402
    /// 403: the request names another node.
    case nasIdentificationMismatch = 403
    /// 404: the request is not well-formed.
    case invalidRequest = 404
    /// 405: a Service-Type that the node does not support.
    case unsupportedService = 405
    /// 407: an attribute with a value that the node cannot use.
    case invalidAttributeValue = 407
    /// 501: the node is told not to do so.
    case administrativelyProhibited = 501
    /// 503: there is no such session.
    case sessionContextNotFound = 503
    /// 504: the session cannot be ended.
    case sessionContextNotRemovable = 504
    /// 506: the node has not the means.
    case resourcesUnavailable = 506
    /// 508: several sessions match, and the node changes one at a time.
    case multipleSessionSelectionUnsupported = 508

    /// In words, for logs and `show`.
    public var description: String {
        switch self {
        case .residualSessionContextRemoved: "residual session context removed"
        case .unsupportedAttribute: "unsupported attribute"
        case .missingAttribute: "missing attribute"
        case .nasIdentificationMismatch: "NAS identification mismatch"
        case .invalidRequest: "invalid request"
        case .unsupportedService: "unsupported service"
        case .invalidAttributeValue: "invalid attribute value"
        case .administrativelyProhibited: "administratively prohibited"
        case .sessionContextNotFound: "session context not found"
        case .sessionContextNotRemovable: "session context not removable"
        case .resourcesUnavailable: "resources unavailable"
        case .multipleSessionSelectionUnsupported: "multiple session selection unsupported"
        }
    }
}

/// A named access concentrator instance (`pppoe-ac NAME`) as discovery sees it: which clients it serves.
public struct ServiceInstance: Hashable, Sendable {
    /// Which Service-Name tags an instance answers.
    public enum Rule: Hashable, Sendable {
        /// `service-name any`: every name, and the empty one.
        case any
        /// `service-name NAME [advertised]`: this name alone, compared octet by octet. An advertised one is listed in every
        /// PADO and also serves clients that leave the choice to us by an empty name.
        case named(String, advertised: Bool)
    }

    /// The instance's own name, for the role and the operator; never on the wire.
    public var name: String
    /// Which Service-Name tags the instance answers.
    public var rule: Rule

    /// An instance called `name` that serves by `rule`.
    public init(name: String, rule: Rule) {
        self.name = name
        self.rule = rule
    }
}

extension [ServiceInstance] {
    /// The instance that serves a client asking for `serviceName` (the tag's octets): the first one with that very name,
    /// else the first `any`; for the empty name the first `any`, else the first advertised one.
    func serving(_ serviceName: [UInt8]) -> ServiceInstance? {
        let exact = first {
            guard case .named(let name, _) = $0.rule else { return false }
            return !serviceName.isEmpty && name.utf8.elementsEqual(serviceName)
        }
        if let exact { return exact }
        if let any = first(where: { $0.rule == .any }) { return any }
        return serviceName.isEmpty ? first { $0.advertisedName != nil } : nil
    }
}

extension ServiceInstance {
    /// The name listed in every PADO.
    var advertisedName: String? {
        guard case .named(let name, advertised: true) = rule else { return nil }
        return name
    }
}

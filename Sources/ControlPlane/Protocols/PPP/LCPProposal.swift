/// The options that we ask for, as they change while the peer naks and rejects them.
struct LCPProposal: Sendable {
    private let limit: UInt16
    private(set) var maximumReceiveUnit: UInt16?
    /// The protocol asked for now; nil: none.
    private(set) var authentication: AuthenticationProtocol?
    /// Protocols that the peer has not turned down, the one asked for excluded, the best first.
    private var alternatives: [AuthenticationProtocol]
    private(set) var magicNumber: UInt32?

    init(_ configuration: LCPEndpoint.Configuration, magicNumber: UInt32) {
        limit = configuration.maximumReceiveUnit
        // 1,500 is what the option's absence means.
        maximumReceiveUnit = limit == 1500 ? nil : limit
        authentication = configuration.authentication.first
        alternatives = Array(configuration.authentication.dropFirst())
        self.magicNumber = magicNumber
    }

    /// The options in the order of their types.
    var options: [LCPOption] {
        var options: [LCPOption] = []
        if let maximumReceiveUnit { options.append(.maximumReceiveUnit(maximumReceiveUnit)) }
        if let authentication { options.append(.authenticationProtocol(authentication)) }
        if let magicNumber { options.append(.magicNumber(magicNumber)) }
        return options
    }

    /// Takes up what a Configure-Nak proposes, as far as it is for us to choose. False when there is no authentication
    /// protocol left that both ends know.
    mutating func amend(byNak options: [LCPOption], freshMagicNumber: UInt32) -> Bool {
        for option in options {
            switch option {
            case .maximumReceiveUnit(let octets) where (LCPEndpoint.minimumMRU...limit).contains(octets):
                maximumReceiveUnit = octets
            case .magicNumber where magicNumber != nil: magicNumber = freshMagicNumber
            case .authenticationProtocol(let proposed) where authentication != nil && proposed != authentication:
                // The peer names what it would rather use; where that is nothing we offer, our own next choice stands.
                guard let index = alternatives.firstIndex(of: proposed) ?? alternatives.indices.first else {
                    return false
                }
                authentication = alternatives.remove(at: index)
            default: break  // our value stands, or an option that we did not ask for
            }
        }
        return true
    }

    /// Asks no more for options that a Configure-Reject names. False when authentication is among them.
    mutating func withdraw(_ options: [LCPOption]) -> Bool {
        for option in options {
            switch option {
            case .maximumReceiveUnit: maximumReceiveUnit = nil
            case .magicNumber: magicNumber = nil
            case .authenticationProtocol: return false
            default: break
            }
        }
        return true
    }
}

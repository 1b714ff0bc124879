extension LCPEndpoint {
    /// What a Configure-Request deserves.
    enum Verdict: Hashable {
        case acknowledge
        /// These values would do.
        case nak([LCPOption])
        /// These options, as they came, are out of the question.
        case reject([LCPOption])
        /// The request carries our own magic number; this one proves that it is not ours.
        case loop(LCPOption)

        var refusal: (code: LCPCode, options: [LCPOption]) {
            switch self {
            case .acknowledge: (.configureReject, [])
            case .nak(let options): (.configureNak, options)
            case .reject(let options): (.configureReject, options)
            case .loop(let option): (.configureNak, [option])
            }
        }
    }

    /// Judges the peer's options. Rejects come before naks (RFC 1661 section 5.3), a looped link before both.
    mutating func judge(_ options: [LCPOption]) -> Verdict {
        if let own = proposal.magicNumber, options.contains(.magicNumber(own)) {
            return .loop(.magicNumber(magic.next()))
        }
        var rejected: [LCPOption] = []
        var naked: [(received: LCPOption, wanted: LCPOption)] = []
        for option in options {
            switch option {
            case .maximumReceiveUnit(let octets):
                let limit = configuration.maximumReceiveUnit
                let wanted = min(max(octets, min(Self.minimumMRU, limit)), limit)
                if wanted != octets { naked.append((option, .maximumReceiveUnit(wanted))) }
            case .magicNumber(let number):
                if number == 0 { naked.append((option, .magicNumber(magic.next()))) }
            case .other(type: 1, _):
                naked.append((option, .maximumReceiveUnit(configuration.maximumReceiveUnit)))
            case .other(type: 5, _):
                naked.append((option, .magicNumber(magic.next())))
            case .authenticationProtocol, .qualityProtocol, .protocolFieldCompression,
                .addressAndControlFieldCompression, .other:
                rejected.append(option)
            }
        }
        if naksSent >= configuration.maxFailure { rejected += naked.map(\.received) }
        if !rejected.isEmpty { return .reject(rejected) }
        return naked.isEmpty ? .acknowledge : .nak(naked.map(\.wanted))
    }
}

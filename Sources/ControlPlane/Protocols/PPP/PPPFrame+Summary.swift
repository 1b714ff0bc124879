import Wire

extension PPPFrame {
    /// The frame in a few words, for whoever debugs: `LCP Configure-Request id 7, 20 octets`. No password or response is shown.
    public var summary: String {
        var reader = ByteReader(information)
        guard let code = reader.readUInt8(), let identifier = reader.readUInt8() else {
            return "\(protocolName), \(information.count) octets"
        }
        return "\(protocolName) \(name(ofCode: code)) id \(identifier), \(information.count) octets"
    }

    private var protocolName: String {
        switch proto {
        case .lcp: "LCP"
        case .pap: "PAP"
        case .chap: "CHAP"
        case .eap: "EAP"
        case .lqr: "LQR"
        default: "protocol 0x\(String(proto.rawValue, radix: 16))"
        }
    }

    private func name(ofCode code: UInt8) -> String {
        let names: [String] =
            switch proto {
            case .lcp:
                [
                    "Configure-Request", "Configure-Ack", "Configure-Nak", "Configure-Reject", "Terminate-Request",
                    "Terminate-Ack", "Code-Reject", "Protocol-Reject", "Echo-Request", "Echo-Reply", "Discard-Request",
                    "Identification", "Time-Remaining",
                ]
            case .pap: ["Authenticate-Request", "Authenticate-Ack", "Authenticate-Nak"]
            case .chap: ["Challenge", "Response", "Success", "Failure"]
            case .eap: ["Request", "Response", "Success", "Failure"]
            default: []
            }
        return code > 0 && code <= names.count ? names[Int(code) - 1] : "code \(code)"
    }
}

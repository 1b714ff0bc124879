import PPP
import Wire

/// What all clients of a fleet have in common.
struct ClientSettings {
    /// How a client proves who it is.
    enum Proof: String, CaseIterable {
        case chap, pap
        /// Every fourth by PAP, the others by CHAP.
        case mixed
    }

    var count: Int
    var proof = Proof.mixed
    var password = "secret"
    /// The name of client `number`.
    var userName: (Int) -> String = { "user\($0)@example.net" }
    /// The tags of client `number`, outer first.
    var tags: (Int) -> [EthernetFrame.VLANTag] = { _ in [] }
    /// Largest PPP frame that it takes.
    var mru: UInt16 = 1_492
    /// Time between two of its LCP echoes, and how many may stay unanswered.
    var echoInterval = Duration.seconds(30)
    var echoFailures: UInt8 = 3
    /// Time until PADI or PADR is sent again; doubles with each, up to `discoveryCap`.
    var discoveryInterval = Duration.seconds(2)
    var discoveryCap = Duration.seconds(16)
    /// Time until an LCP, PAP or IPCP request is sent again, and how often it is sent in all.
    var restartInterval = Duration.seconds(3)
    var maxRequests: UInt8 = 10
    /// Longest time from the end of a session to the next dialling; each waits a random part of it.
    var redialWithin = Duration.seconds(1)
    /// Whether it dials again by itself.
    var redials = true

    /// What client `number` authenticates itself by.
    func offered(_ number: Int) -> [AuthenticationProtocol] {
        switch proof {
        case .chap: [.chapMD5]
        case .pap: [.pap]
        case .mixed: number % 4 == 3 ? [.pap] : [.chapMD5]
        }
    }

    /// The Ethernet address of client `number`.
    static func mac(_ number: Int) -> MACAddress { MACAddress(value: 0x02c1_0000_0000 | UInt64(number)) }

    /// The client with this address, if it may be one.
    static func number(of mac: MACAddress) -> Int? {
        mac.value >> 32 == 0x02c1 ? Int(mac.value & 0xffff_ffff) : nil
    }
}

/// What a fleet has counted.
struct ClientCounts {
    var dials = 0
    var discoveryRepeats = 0
    var requestRepeats = 0
    var refusals = 0
    var terminations = 0
    var echoesSent = 0
    var echoesAnswered = 0
    /// Echoes that had no answer when the next was due.
    var echoesMissed = 0
    var echoesReturned = 0
    var deadLinks = 0
    var unexpected = 0
}

import Wire

/// How the simulated LNSs behave. They are one program behind one Ethernet address, and have several IP addresses.
struct LNSSettings {
    var addresses: [IPv4Address]
    /// Authenticates tunnels; nil: none.
    var secret: [UInt8]?
    /// The clients' password.
    var password = "secret"
    /// Silence of the LAC after which a tunnel asks whether it lives; zero: never.
    var helloInterval = Duration.seconds(60)
    /// Time between two LCP echoes to each client, and how many may stay unanswered; zero: none are sent.
    var echoInterval = Duration.seconds(30)
    var echoFailures: UInt8 = 4
    /// The LNSs' end of each PPP link, and the address of the first client.
    var linkAddress = IPv4Address(value: 0x0a41_0001)
    var firstClientAddress = IPv4Address(value: 0x0a42_0001)

    /// The LNSs' Ethernet address.
    static let mac = MACAddress(value: 0x02d1_0000_0001)
}

/// What the LNSs have counted.
struct LNSCounts {
    var tunnelsOpened = 0
    var callsTaken = 0
    var callsEnded = 0
    var authenticated = 0
    var badResponses = 0
    var renegotiated = 0
    var echoesSent = 0
    var echoesAnswered = 0
    var echoesReturned = 0
    var deadLines = 0
    var hellosSent = 0
    var hellosReceived = 0
    var pings = 0
    var strayFrames = 0
}

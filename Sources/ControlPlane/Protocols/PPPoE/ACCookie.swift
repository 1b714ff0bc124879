import Crypto
import Timing
import Wire

/// Makes and checks AC-Cookies (RFC 2516 section 5.2 and appendix A) without remembering one.
///
/// A cookie is HMAC-SHA256 over the client's MAC address, its attachment circuit and the number of the current epoch. A
/// PADR that returns it comes from somebody who received our PADO at that address, at most two epochs ago; before that
/// nothing is allocated, so forged PADIs cost no memory.
public struct ACCookie: Sendable {
    /// Length of an epoch. A cookie is good in the epoch that made it and in the next one: for 30 to 60 seconds.
    public static let epochLength = Duration.seconds(30)

    private let key: SymmetricKey

    /// Cookies under `secret`: random octets that only this daemon knows, 32 of them to match the hash.
    public init(secret: some Sequence<UInt8>) { key = SymmetricKey(data: Array(secret)) }

    /// What `init(secret:)` was given, for whoever goes on with the cookies of this process.
    public var secret: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// The cookie, 32 octets, for a client at `now`.
    public func issue(client: MACAddress, circuit: AttachmentCircuit, at now: Instant) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Self.input(client, circuit, Self.epoch(of: now)), using: key))
    }

    /// Whether `cookie` was issued to this client in this epoch or in the one before. Takes the same time wherever a
    /// forged cookie differs.
    public func accepts(_ cookie: [UInt8], client: MACAddress, circuit: AttachmentCircuit, at now: Instant) -> Bool {
        let epoch = Self.epoch(of: now)
        let epochs = epoch == 0 ? [epoch] : [epoch, epoch - 1]
        return epochs.contains {
            HMAC<SHA256>.isValidAuthenticationCode(
                cookie, authenticating: Self.input(client, circuit, $0), using: key)
        }
    }

    private static func epoch(of now: Instant) -> UInt64 {
        now.nanoseconds / (UInt64(epochLength.components.seconds) * 1_000_000_000)
    }

    private static func input(_ client: MACAddress, _ circuit: AttachmentCircuit, _ epoch: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.write(client.octets)
        writer.write(circuit.port)
        writer.write(circuit.outerVLAN)
        writer.write(circuit.innerVLAN)
        writer.write(epoch)
        return writer.bytes
    }
}

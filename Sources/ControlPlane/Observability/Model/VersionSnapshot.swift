/// Versions of the parts.
public struct VersionSnapshot: Hashable, Sendable, Encodable {
    /// Of the program that asks.
    public var command: String
    /// Of culvertd.
    public var control: String
    /// Starts of culvertd on this segment.
    public var controlEpoch: UInt64
    /// Starts of the data plane on it.
    public var dataPlaneEpoch: UInt64
    /// Of the segment's layout, which both have in common.
    public var layoutVersion: UInt32

    /// The versions of the program that asks and of what answered with `status`.
    public init(command: String, status: StatusSnapshot) {
        self.command = command
        control = status.version
        controlEpoch = status.controlEpoch
        dataPlaneEpoch = status.dataPlane.epoch
        layoutVersion = status.dataPlane.layoutVersion
    }
}

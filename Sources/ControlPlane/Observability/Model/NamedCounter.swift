/// A counter as it is shown: what counts declares name and text once, and every view reads them from here.
public struct NamedCounter: Hashable, Sendable, Encodable {
    /// Short and stable: scripts and metrics use it.
    public var name: String
    /// What is counted, for people.
    public var text: String
    /// The count since whatever counts has started.
    public var value: UInt64

    /// A counter with its reading.
    public init(name: String, text: String, value: UInt64) {
        self.name = name
        self.text = text
        self.value = value
    }
}

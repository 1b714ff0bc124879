import Configuration
import L2TP

extension Framing {
    /// The setting as the AVP has it.
    init(_ settings: Set<L2TPProfile.Framing>) {
        self = []
        if settings.contains(.sync) { insert(.synchronous) }
        if settings.contains(.async) { insert(.asynchronous) }
    }
}

extension Bearer {
    /// The setting as the AVP has it.
    init(_ settings: Set<L2TPProfile.Bearer>) {
        self = []
        if settings.contains(.digital) { insert(.digital) }
        if settings.contains(.analog) { insert(.analog) }
    }
}

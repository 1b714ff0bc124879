import CDPDK

/// Why the data plane could not start. The description is a line for the operator.
public enum DataPlaneError: Error, Hashable, Sendable, CustomStringConvertible {
    /// DPDK's environment, or memory in it.
    case environment(String)
    /// A port, by its name in the configuration.
    case port(String, String)

    /// What went wrong, and where.
    public var description: String {
        switch self {
        case .environment(let reason): reason
        case .port(let name, let reason): "port \(name): \(reason)"
        }
    }

    /// DPDK's text for an error number, positive or negative.
    static func text(_ error: Int32) -> String {
        guard let text = culvert_error_text(error) else { return "error \(error)" }
        return String(cString: text)
    }
}

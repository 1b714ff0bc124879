/// Kinds of names that an operator types and a shell completes.
public enum NameKind: String, Hashable, Sendable, CaseIterable {
    /// Administrative names and local ids of tunnels.
    case tunnel
    /// Local ids of sessions.
    case session
    /// pppoe-ac instances.
    case instance
    /// Route ids.
    case route
    /// Addresses of LNSs.
    case destination
    /// Ports.
    case interface
    /// Sections of the running configuration.
    case section
}

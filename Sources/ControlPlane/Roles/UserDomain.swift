import Names

/// The part of a user's name that names an ISP: what stands behind the last `@`.
///
/// The name is a stranger's. What is no host name is no domain: it must not reach a DNS server, nor look like something else in a
/// RADIUS request.
enum UserDomain {
    /// The domain of `userName`; nil when it has none.
    static func of(_ userName: String) -> HostName? {
        guard let at = userName.utf8.lastIndex(of: 0x40) else { return nil }
        return try? HostName(userName[userName.utf8.index(after: at)...])
    }
}

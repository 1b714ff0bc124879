import Settings
import Wire

/// What culvertd serves to machines beside its socket.
extension ConfigurationReader {
    /// `control.rpc-tcp`; nil, with the fault reported, where something is missing or wrong. Whether the files are what they
    /// should be is seen when culvertd starts.
    static func secureRPC(_ mapping: inout ConfigurationMapping) -> Control.SecureRPC? {
        let endpoints = endpoints(mapping.required("address"))
        let certificate = mapping.required("certificate").flatMap(filePath)
        let privateKey = mapping.required("private-key").flatMap(filePath)
        let authorities = mapping.required("client-ca").flatMap(filePath)
        var readOnly: Set<String> = []
        for node in mapping.optional("read-only")?.oneOrMore() ?? [] {
            guard let name = node.text(upTo: 255) else { continue }
            if !readOnly.insert(name).inserted { node.fault("`\(name)` is given twice") }
        }
        guard let endpoints, let certificate, let privateKey, let authorities else { return nil }
        return Control.SecureRPC(
            endpoints: endpoints, certificate: certificate, privateKey: privateKey, clientAuthorities: authorities,
            readOnly: readOnly)
    }

    /// `control.metrics`; nil, with the fault reported, where something is missing or wrong.
    static func metrics(_ mapping: inout ConfigurationMapping) -> Control.Metrics? {
        let endpoints = endpoints(mapping.required("address"))
        let perWorker = mapping.optional("per-worker")?.boolean() ?? false
        let perTunnel = mapping.optional("per-tunnel")?.boolean() ?? false
        return endpoints.map { Control.Metrics(endpoints: $0, perWorker: perWorker, perTunnel: perTunnel) }
    }

    /// Addresses to listen on, one or a list; nil when one of them is none.
    private static func endpoints(_ node: ConfigurationNode?) -> [SocketEndpoint]? {
        var endpoints: [SocketEndpoint] = []
        var isWhole = node != nil
        for element in node?.oneOrMore() ?? [] {
            let expected = "an address and a port such as \"127.0.0.1:9464\" or \"[::1]:9464\""
            guard let endpoint = element.parsed(expected, SocketEndpoint.init(_:)) else {
                isWhole = false
                continue
            }
            if endpoints.contains(endpoint) { element.fault("`\(endpoint)` is given twice") }
            endpoints.append(endpoint)
        }
        return isWhole && !endpoints.isEmpty ? endpoints : nil
    }

    private static func filePath(_ node: ConfigurationNode) -> String? {
        node.parsed("a file's absolute path") { $0.hasPrefix("/") && !$0.utf8.contains(0) ? $0 : nil }
    }
}

import Configuration
import Host
import PPPoE
import Wire

extension AccessInterface {
    /// The interfaces that serve PPPoE, by port. Ports that the data plane does not have are left out.
    static func all(
        of configuration: Configuration, ports: [NodePort], cookie: ACCookie
    ) -> [UInt16: [AccessInterface]] {
        var result: [UInt16: [AccessInterface]] = [:]
        for settings in configuration.interfaces where !settings.services.isEmpty {
            guard let port = ports.first(where: { $0.name == settings.name }) else { continue }
            let instances = settings.services.compactMap(configuration.accessConcentrator)
            guard let first = instances.first else { continue }
            let discovery = DiscoveryServer(
                acName: first.acName, macAddress: port.mac, linkMTU: Int(port.mtu),
                instances: instances.map { ServiceInstance(name: $0.name, rule: $0.rule) }, cookie: cookie)
            result[port.index, default: []].append(
                AccessInterface(
                    port: port.index, name: port.name, discovery: discovery, vlans: settings.vlans,
                    innerVLANs: settings.innerVLANs))
        }
        return result
    }
}

extension AccessConcentrator {
    /// Which clients the instance serves.
    var rule: ServiceInstance.Rule {
        switch serviceName {
        case .any: .any
        case .named(let name, let advertised): .named(name, advertised: advertised)
        }
    }
}

extension NodePort {
    /// The port as the host stack sees it; nil when the node has no address on it.
    func hostInterface(of configuration: Configuration) -> HostInterface? {
        let addresses = configuration.interfaces.filter { $0.name == name }.flatMap(\.addresses)
        return addresses.isEmpty ? nil : HostInterface(port: index, mac: mac, mtu: mtu, addresses: addresses)
    }
}

import Configuration
import Host
import PPPoE
import Wire

extension AccessInterface {
    /// The interfaces that serve PPPoE, by port. Ports that the data plane does not have are left out.
    static func all(of configuration: Configuration, ports: [NodePort], cookie: ACCookie) -> [UInt16: AccessInterface] {
        var result: [UInt16: AccessInterface] = [:]
        for settings in configuration.interfaces where !settings.services.isEmpty {
            guard let port = ports.first(where: { $0.name == settings.name }) else { continue }
            let instances = settings.services.compactMap { name in
                configuration.accessConcentrators.first { $0.name == name }
            }
            guard let first = instances.first else { continue }
            result[port.index] = AccessInterface(
                port: port.index, name: port.name,
                discovery: DiscoveryServer(
                    acName: first.acName, macAddress: port.mac, linkMTU: Int(port.mtu),
                    instances: instances.map { ServiceInstance(name: $0.name, rule: $0.rule) }, cookie: cookie),
                untagged: settings.untagged, vlans: settings.vlans, innerVLANs: settings.innerVLANs)
        }
        return result
    }
}

extension AccessConcentratorSettings {
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
        guard let settings = configuration.interfaces.first(where: { $0.name == name }), !settings.addresses.isEmpty
        else { return nil }
        return HostInterface(port: index, mac: mac, mtu: mtu, addresses: settings.addresses)
    }
}

import Names
import Settings
import Wire

/// Reads the sections of a file, then checks what they say about each other.
///
/// Every part remembers the node that it came from, so that a fault found by comparing two sections still has its line.
struct ConfigurationReader {
    /// A value and where the file says it.
    struct Placed<Value> {
        var value: Value
        var node: ConfigurationNode
    }

    /// The nodes of an `interfaces:` element that cross-checks name.
    struct InterfaceNodes {
        var element: ConfigurationNode
        var services: [Placed<String>] = []
        var vlans: ConfigurationNode?
        var addresses: [Placed<IPPrefix>] = []
    }

    /// A `pppoe-ac:` element before the defaults that depend on its profile.
    struct ConcentratorDraft {
        var value: AccessConcentrator
        /// `ppp-mru` as the file says it.
        enum MRU {
            case octets(UInt16)
            case computed
        }

        /// Whether `value.serviceName` is what the file says.
        var hasServiceName = true
        var pppMRU: Placed<MRU>?
        var peerAddress: ConfigurationNode?
        var profile: ConfigurationNode?
        var accounting: ConfigurationNode?
    }

    /// An `l2tp-domain:` element with the nodes that cross-checks name.
    struct DomainDraft {
        var value: DomainMapEntry
        var node: ConfigurationNode
        var profile: ConfigurationNode?
        /// One for each of `tunnels`.
        var tunnels: [(peer: ConfigurationNode, profile: ConfigurationNode?)] = []
    }

    /// An `l2tp-profile:` element with what cross-checks need.
    struct ProfileDraft {
        var value: L2TPProfile
        var hasMTU = false
        var source: ConfigurationNode?
        var radiusGroup: ConfigurationNode?
    }

    var dataPlane: DataPlaneSettings?
    var control: Control
    var interfaces: [(value: Interface, nodes: InterfaceNodes)] = []
    var routes: [Placed<IPRoute>] = []
    var concentrators: [ConcentratorDraft] = []
    var profiles: [ProfileDraft] = []

    var nameServers: [NameServer] = []
    var radiusServers: [Placed<RADIUSServerSettings>] = []
    var radiusGroups: [Placed<RADIUSGroupSettings>] = []
    var radius: RADIUSClientSettings
    var domains: [DomainDraft] = []
    var warnings: [ConfigurationFault] = []

    /// What could not be read in full. Whether something exists is not asked of these, so that a fault does not bring
    /// others with it that merely follow.
    var incomplete: Set<Part> = []

    enum Part {
        case ports, addresses, routes, concentratorNames, profileNames, radiusServers, radiusGroups, nameServers
    }

    init(machineName: String) {
        control = Control(hostName: machineName)
        radius = RADIUSClientSettings(nasIdentifier: machineName)
    }

    /// Reads the document's root.
    mutating func read(_ document: inout ConfigurationMapping) {
        let faultsBefore = document.place.faults.faults.count
        dataPlane = document.required("dataplane").flatMap(DataPlaneSettings.init(_:))
        if document.place.faults.faults.count > faultsBefore { incomplete.insert(.ports) }
        if let node = document.optional("control") { _ = node.mapping { readControl(&$0) } }
        readElements(document.optional("interfaces")) { reader, mapping in reader.readInterface(&mapping) }
        readElements(document.optional("ip-route")) { reader, mapping in reader.readRoute(&mapping) }
        readAAA(&document)
        // Profiles first: an access concentrator's MRU depends on its profile.
        readElements(document.optional("l2tp-profile")) { reader, mapping in reader.readProfile(&mapping) }
        readElements(document.optional("pppoe-ac")) { reader, mapping in reader.readConcentrator(&mapping) }
        readElements(document.optional("l2tp-domain")) { reader, mapping in reader.readDomain(&mapping) }
    }

    mutating func readElements(
        _ node: ConfigurationNode?, _ body: (inout ConfigurationReader, inout ConfigurationMapping) -> Void
    ) {
        for element in node?.elements() ?? [] {
            var reader = self
            _ = element.mapping { mapping in body(&reader, &mapping) }
            self = reader
        }
    }

    /// Reads an optional whole number; the old value stays where there is none, or a wrong one.
    static func read<Integer: FixedWidthInteger>(
        _ value: inout Integer, _ node: ConfigurationNode?, in range: ClosedRange<Integer>
    ) {
        if let number = node?.integer(in: range) { value = number }
    }

    /// Reads an optional text of 1 to 255 octets.
    static func read(_ value: inout String, _ node: ConfigurationNode?) {
        if let text = node?.text(upTo: 255) { value = text }
    }
}

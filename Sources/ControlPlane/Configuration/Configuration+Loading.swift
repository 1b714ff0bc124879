#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Settings

extension Configuration {
    /// Largest file that is read, octets.
    static let fileLimit = 16 << 20

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: where the file is.
    ///   - machineName: the default of `control.host-name`; nil: the machine's own name.
    /// - Throws: everything that is wrong with the file, at once.
    public static func load(path: String, machineName: String? = nil) throws(ConfigurationFaults) -> Configuration {
        try read(text(ofFile: path), machineName: machineName ?? machineNameOfHost())
    }

    /// The text of the file at `path`; throws what keeps it from being read.
    static func text(ofFile path: String) throws(ConfigurationFaults) -> String {
        guard let file = fopen(path, "rb") else { throw unreadable(path, String(cString: strerror(errno))) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= fileLimit {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        guard ferror(file) == 0 else { throw unreadable(path, "it is not a file, or cannot be read") }
        guard bytes.count <= fileLimit else { throw unreadable(path, "it is larger than \(fileLimit >> 20) MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw unreadable(path, "it is not UTF-8") }
        return text
    }

    /// Reads a file's text.
    ///
    /// - Throws: everything that is wrong with it, at once, in the order of its lines.
    public static func read(_ text: String, machineName: String) throws(ConfigurationFaults) -> Configuration {
        let faults = FaultCollector()
        var reader = ConfigurationReader(machineName: machineName)
        let document = ConfigurationNode.document(text, faults: faults)
        _ = document?.mapping { reader.read(&$0) }
        reader.check()
        try faults.throwIfAny()
        guard let dataPlane = reader.dataPlane else { throw ConfigurationFaults(faults.faults) }
        return Configuration(
            dataPlane: dataPlane, control: reader.control, interfaces: reader.interfaces.map(\.value),
            routes: reader.routes.map(\.value), accessConcentrators: reader.concentrators.map(\.value),
            l2tpProfiles: reader.profiles.map(\.value), domainMap: reader.domains.map(\.value),
            nameServers: reader.nameServers, radiusServers: reader.radiusServers.map(\.value),
            radiusGroups: reader.radiusGroups.map(\.value), radius: reader.radius, warnings: reader.warnings.sorted())
    }

    private static func unreadable(_ path: String, _ reason: String) -> ConfigurationFaults {
        ConfigurationFaults([ConfigurationFault(line: 0, field: "", reason: "cannot read \(path): \(reason)")])
    }

    /// What the kernel calls the machine, up to the first dot; `culvert` where it has no name.
    private static func machineNameOfHost() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let result = gethostname(&buffer, buffer.count - 1)
        let name = String(
            decoding: buffer.map(UInt8.init(bitPattern:)).prefix { $0 != 0 && $0 != 0x2e }, as: UTF8.self)
        return result == 0 && !name.isEmpty ? name : "culvert"
    }
}

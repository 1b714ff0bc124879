import Foundation
import SwiftProtobuf

/// The .proto files of everything that is served, by name and by what they declare.
struct DescriptorSet: Sendable {
    private struct File {
        var serialized: Data
        var imports: [String]
    }

    private var files: [String: File] = [:]
    /// The file that declares a name; names are whole, without a dot in front.
    private var declaring: [String: String] = [:]
    private var messages: Set<String> = []
    /// Whole names of the services, in order.
    private(set) var services: [String] = []

    /// What this program serves.
    static let served: DescriptorSet = {
        let serialized = Data(base64Encoded: base64) ?? Data()
        return (try? DescriptorSet(serialized: serialized)) ?? DescriptorSet()
    }()

    private init() {}

    /// The files of a serialized `google.protobuf.FileDescriptorSet`.
    init(serialized: Data) throws {
        for file in try Google_Protobuf_FileDescriptorSet(serializedBytes: serialized).file {
            files[file.name] = File(serialized: try file.serializedBytes(), imports: file.dependency)
            let scope = file.package
            for message in file.messageType { declare(message, in: scope, file.name) }
            for type in file.enumType { declare(type, in: scope, file.name) }
            for service in file.service {
                let name = Self.join(scope, service.name)
                services.append(name)
                declaring[name] = file.name
                for method in service.method { declaring[Self.join(name, method.name)] = file.name }
            }
        }
        services.sort()
    }

    private mutating func declare(_ message: Google_Protobuf_DescriptorProto, in scope: String, _ file: String) {
        let name = Self.join(scope, message.name)
        declaring[name] = file
        messages.insert(name)
        for field in message.field { declaring[Self.join(name, field.name)] = file }
        for oneof in message.oneofDecl { declaring[Self.join(name, oneof.name)] = file }
        for type in message.nestedType { declare(type, in: name, file) }
        for type in message.enumType { declare(type, in: name, file) }
    }

    private mutating func declare(_ type: Google_Protobuf_EnumDescriptorProto, in scope: String, _ file: String) {
        declaring[Self.join(scope, type.name)] = file
        // An enumeration's values stand beside it, not in it.
        for value in type.value { declaring[Self.join(scope, value.name)] = file }
    }

    private static func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }

    /// The file of this name, serialized, and behind it all that it imports, each once; nil when there is none.
    func files(from name: String) -> [Data]? {
        guard files[name] != nil else { return nil }
        var names = [name]
        var next = 0
        while next < names.count {
            for dependency in files[names[next]]?.imports ?? [] where !names.contains(dependency) {
                names.append(dependency)
            }
            next += 1
        }
        return names.compactMap { files[$0]?.serialized }
    }

    /// The file that declares `symbol`, as `files(from:)`.
    func files(declaring symbol: String) -> [Data]? { declaring[symbol].flatMap { files(from: $0) } }

    /// Whether there is a message of this name.
    func hasMessage(_ name: String) -> Bool { messages.contains(name) }
}

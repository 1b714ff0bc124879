import Observability
import SwiftProtobuf

/// A file of operations that cannot be used; the description says which operation and field.
public struct StaticFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// For the operator.
    public let description: String
}

extension StaticOperation {
    /// Reads operations from JSON: the message ApplyStaticRequest of the .proto in Protocol Buffers' JSON mapping,
    /// `{"operations": [{"add_tunnel": {"name": ...}}, ...]}`, of any length.
    public static func parse(json: [UInt8]) throws(StaticFileError) -> [StaticOperation] {
        let message: Culvert_V1_ApplyStaticRequest
        do {
            message = try Culvert_V1_ApplyStaticRequest(jsonUTF8Bytes: json)
        } catch {
            throw StaticFileError(description: "not a list of operations in JSON: \(error)")
        }
        var operations: [StaticOperation] = []
        for (index, operation) in message.operations.enumerated() {
            do throws(FieldError) {
                operations.append(try StaticOperation(operation))
            } catch {
                throw StaticFileError(description: "operation \(index + 1): \(error)")
            }
        }
        return operations
    }
}

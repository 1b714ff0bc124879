import GRPCCore
import GRPCProtobuf

/// gRPC server reflection, in the two versions that clients ask for: v1 and, with the same messages, v1alpha.
///
/// A question that cannot be answered gets an `error_response` in its place, and the stream goes on.
struct ReflectionService: RegistrableRPCService {
    private typealias Question = Grpc_Reflection_V1_ServerReflectionRequest
    private typealias Answer = Grpc_Reflection_V1_ServerReflectionResponse

    let descriptors: DescriptorSet
    /// Whose streams end with those of reflection when the server stops.
    let service: CulvertService

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for version in ["v1", "v1alpha"] {
            let method = MethodDescriptor(
                fullyQualifiedService: "grpc.reflection.\(version).ServerReflection", method: "ServerReflectionInfo")
            router.registerHandler(
                forMethod: method, deserializer: ProtobufDeserializer<Question>(),
                serializer: ProtobufSerializer<Answer>()
            ) { request, context in
                StreamingServerResponse { writer in
                    try await service.untilOver(context) {
                        for try await question in request.messages { try await writer.write(answer(question)) }
                    }
                    return [:]
                }
            }
        }
    }

    private func answer(_ question: Question) -> Answer {
        .with {
            $0.validHost = question.host
            $0.originalRequest = question
            $0.messageResponse = response(to: question.messageRequest)
        }
    }

    private func response(to question: Question.OneOf_MessageRequest?) -> Answer.OneOf_MessageResponse {
        switch question {
        case .fileByFilename(let name):
            guard let files = descriptors.files(from: name) else { return Self.notFound("file", name) }
            return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files })
        case .fileContainingSymbol(let symbol):
            guard let files = descriptors.files(declaring: symbol) else { return Self.notFound("symbol", symbol) }
            return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files })
        case .fileContainingExtension(let request):
            // No type that is served can be extended.
            return Self.notFound("extension \(request.extensionNumber) of", request.containingType)
        case .allExtensionNumbersOfType(let name):
            guard descriptors.hasMessage(name) else { return Self.notFound("type", name) }
            return .allExtensionNumbersResponse(.with { $0.baseTypeName = name })
        case .listServices:
            return .listServicesResponse(
                .with { list in
                    list.service = descriptors.services.map { name in .with { $0.name = name } }
                })
        case nil:
            return Self.refusal(.unimplemented, "the request asks nothing that this version of reflection knows")
        }
    }

    private static func notFound(_ kind: String, _ name: String) -> Answer.OneOf_MessageResponse {
        refusal(.notFound, "there is no \(kind) '\(name)'")
    }

    private static func refusal(_ code: Status.Code, _ message: String) -> Answer.OneOf_MessageResponse {
        .errorResponse(
            .with {
                $0.errorCode = Int32(code.rawValue)
                $0.errorMessage = message
            })
    }
}

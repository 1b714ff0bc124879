import Foundation
import RPC
import Testing

/// A certificate authority for one test, made by `openssl`.
struct Authority: Sendable {
    let folder: URL
    private let name: String

    /// A new authority called `name`, with its files in `folder`.
    init(_ name: String, in folder: URL) async throws {
        self.folder = folder
        self.name = name
        try await Self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-keyout", folder.appending(path: "\(name).key").path(), "-out",
            folder.appending(path: "\(name).pem").path(),
            "-subj", "/O=Culvert Test/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE")
    }

    /// The authority's certificate.
    var file: String { folder.appending(path: "\(name).pem").path() }

    /// Issues a certificate to `subject`, a common name, for the names in `alternatives` (`DNS:…`, `IP:…`), that ends
    /// `days` from now; returns it, its key and this authority.
    @discardableResult
    func issue(
        _ subject: String, alternatives: String = "DNS:localhost,IP:127.0.0.1,IP:::1", days: Int = 20,
        as file: String? = nil
    ) async throws -> TLSFiles {
        let base = folder.appending(path: file ?? subject).path()
        try await Self.openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", base + ".key.new",
            "-out", base + ".csr", "-subj", "/O=Culvert Test/CN=\(subject)", "-addext", "subjectAltName=\(alternatives)"
        )
        try await Self.openssl(
            "x509", "-req", "-in", base + ".csr", "-CA", self.file, "-CAkey",
            folder.appending(path: "\(name).key").path(),
            "-CAcreateserial", "-days", "\(days)", "-copy_extensions", "copy", "-out", base + ".pem.new")
        for kind in ["key", "pem"] {
            #expect(rename("\(base).\(kind).new", "\(base).\(kind)") == 0)
        }
        return TLSFiles(certificate: base + ".pem", privateKey: base + ".key", authorities: self.file)
    }

    private static func openssl(_ arguments: String...) async throws {
        let outcome = try await Child.run(URL(filePath: "/usr/bin/openssl"), arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// Whether `openssl` is there.
    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") }
}

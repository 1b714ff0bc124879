import Glibc
import NIOSSL
import Observability
import SwiftASN1
import X509

/// The files of one end of a mutually authenticated TLS connection, each in PEM form.
public struct TLSFiles: Hashable, Sendable {
    /// This end's certificate, behind it those between it and its authority.
    public var certificate: String
    /// The certificate's private key, not encrypted.
    public var privateKey: String
    /// Certificates of the authorities that the other end's certificate must come from.
    public var authorities: String

    /// Files by their paths.
    public init(certificate: String, privateKey: String, authorities: String) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.authorities = authorities
    }
}

/// Why a file cannot be used for TLS.
public struct TLSFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// What is wrong with it.
    public let reason: String

    /// `FILE: REASON`
    public var description: String { "\(path): \(reason)" }
}

extension TLSFiles {
    /// A certificate with its key, as read from their files.
    struct Identity: Sendable {
        var chain: [NIOSSLCertificate]
        var privateKey: NIOSSLPrivateKey
        /// When the certificate ends.
        var notAfter: Timestamp
    }

    /// Reads the certificate and its key. Throws when a file cannot be read, is not what it should be, or the two do not
    /// belong together.
    func identity() throws(TLSFileError) -> Identity {
        let chain = try Self.certificates(at: certificate)
        let bytes = try Self.contents(of: privateKey)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw TLSFileError(path: privateKey, reason: "holds no private key in PEM form, or an encrypted one")
        }
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        guard (try? NIOSSLContext(configuration: configuration)) != nil else {
            throw TLSFileError(path: privateKey, reason: "is not the private key of the certificate in \(certificate)")
        }
        return Identity(
            chain: chain, privateKey: key,
            notAfter: chain.first.map { Timestamp(seconds: Int64($0.notValidAfter)) } ?? Timestamp(nanoseconds: 0))
    }

    /// Throws when one of the files is not what it should be.
    public func check() throws(TLSFileError) {
        _ = try identity()
        _ = try trusted()
    }

    /// Reads the authorities' certificates.
    func trusted() throws(TLSFileError) -> [NIOSSLCertificate] { try Self.certificates(at: authorities) }

    /// All certificates in a file; there is at least one.
    private static func certificates(at path: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        let bytes = try contents(of: path)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw TLSFileError(path: path, reason: "holds no certificate in PEM form")
        }
        return certificates
    }

    /// Largest file that is read, octets.
    private static let sizeLimit = 1 << 20

    private static func contents(of path: String) throws(TLSFileError) -> [UInt8] {
        guard let file = fopen(path, "rbe") else {
            throw TLSFileError(path: path, reason: String(cString: strerror(errno)))
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { throw TLSFileError(path: path, reason: String(cString: strerror(errno))) }
        guard count <= sizeLimit else { throw TLSFileError(path: path, reason: "is larger than 1 MiB") }
        return Array(bytes.prefix(count))
    }
}

extension Certificate {
    /// The subject's common names, of which there is one as a rule.
    var commonNames: [String] {
        subject.flatMap { name in
            name.filter { $0.type == .RDNAttributeType.commonName }.compactMap { String($0.value) }
        }
    }
}

import GRPCNIOTransportHTTP2
import Glibc
import Logging
import NIOCertificateReloading
import NIOSSL
import Observability
import Synchronization

/// A server's certificate, which is taken anew when its files have changed: the certificate of a daemon that carries sessions
/// must be renewed without restarting it.
///
/// Whoever runs `watch` looks at the files, and only at their sizes and times. A pair that cannot be used, because one of the
/// two files is not there yet for instance, leaves the one before it in use. This is not done where handshakes are: BoringSSL
/// keeps a failure in the thread that it happened in, and a handshake on that thread would take it for its own.
final class CertificateKeeper: CertificateReloader {
    /// What tells that a file is another one than before.
    private struct Stamp: Equatable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0

        init(of path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            (seconds, nanoseconds) = (Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec))
        }
    }

    private struct State {
        var identity: TLSFiles.Identity
        var stamps: [Stamp]
    }

    private let files: TLSFiles
    private let logger: Logger
    private let state: Mutex<State>

    /// A certificate that is ending is warned about from so long before its end.
    private static let warningDays: Int64 = 14

    /// Reads the files.
    init(files: TLSFiles, logger: Logger) throws(TLSFileError) {
        self.files = files
        self.logger = logger
        let stamps = Self.stamps(of: files)
        let identity = try files.identity()
        state = Mutex(State(identity: identity, stamps: stamps))
        warnIfEnding(identity)
    }

    var sslContextConfigurationOverride: NIOSSLContextConfigurationOverride {
        let identity = state.withLock { $0.identity }
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = identity.chain.map { .certificate($0) }
        override.privateKey = .privateKey(identity.privateKey)
        return override
    }

    /// The server's side of TLS with the certificate that is kept; who connects must have one of the files' authorities.
    func security() throws(TLSFileError) -> HTTP2ServerTransport.Posix.TransportSecurity {
        _ = try files.trusted()
        // The certificate is the keeper's; the files are named here because there has to be one from the start.
        return .mTLS(
            certificateChain: [.file(path: files.certificate, format: .pem)],
            privateKey: .file(path: files.privateKey, format: .pem)
        ) { tls in
            tls.trustRoots = .certificates([.file(path: files.authorities, format: .pem)])
            tls.requireALPN = true
            tls.certificateReloader = self
        }
    }

    private static func stamps(of files: TLSFiles) -> [Stamp] {
        [Stamp(of: files.certificate), Stamp(of: files.privateKey)]
    }

    /// Looks at the files once a second until the surrounding task is cancelled. What cannot be used is told when it has
    /// stayed so for a second: the two files are rarely replaced at once.
    func watch() async {
        var complaint: TLSFileError?
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let stamps = Self.stamps(of: files)
            guard stamps != state.withLock({ $0.stamps }) else {
                if let reason = complaint {
                    logger.warning("changed certificate of the RPC cannot be used, the one before stays: \(reason)")
                }
                complaint = nil
                continue
            }
            do throws(TLSFileError) {
                let identity = try files.identity()
                complaint = nil
                state.withLock { $0 = State(identity: identity, stamps: stamps) }
                logger.notice(
                    "certificate of the RPC taken anew",
                    metadata: ["file": "\(files.certificate)", "ends": "\(identity.notAfter.rfc3339)"])
                warnIfEnding(identity)
            } catch {
                complaint = error
                state.withLock { $0.stamps = stamps }
            }
        }
    }

    private func warnIfEnding(_ identity: TLSFiles.Identity) {
        let days = (identity.notAfter.seconds - Timestamp.now().seconds) / 86_400
        guard days < Self.warningDays else { return }
        logger.warning(
            "certificate of the RPC ends soon, or has ended: renew it",
            metadata: ["file": "\(files.certificate)", "ends": "\(identity.notAfter.rfc3339)"])
    }
}

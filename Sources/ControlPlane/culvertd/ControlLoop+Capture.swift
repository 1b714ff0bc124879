import Observability
import RPC
import Roles

/// Captures for callers of the RPC.
extension ControlLoop {
    /// Captures a session until the reader goes away or the session ends.
    func capture(
        _ session: SessionName, snapLength: UInt32, control: Bool
    ) async throws -> AsyncThrowingStream<CaptureRecord, any Error> {
        guard segment.isDataPlaneRunning else {
            throw ControlPlaneError(.unavailable, "the data plane does not run, so there is nothing to capture")
        }
        let id: CaptureID
        do throws(ControlNode.CaptureFault) {
            id = try node.startCapture(of: session, snapLength: snapLength, control: control)
        } catch {
            switch error {
            case .notFound(let message): throw ControlPlaneError(.notFound, message)
            case .ambiguous(let message): throw ControlPlaneError(.ambiguous, message)
            case .exhausted(let message): throw ControlPlaneError(.exhausted, message)
            case .refused(let message): throw ControlPlaneError(.invalid, message)
            }
        }
        let (stream, continuation) = captures.open(id)
        continuation.onTermination = { [weak self] _ in
            Task { await self?.endCapture(id) }
        }
        return stream
    }

    /// The reader of a capture has gone, or has been told of its end.
    private func endCapture(_ id: CaptureID) {
        node.stopCapture(id)
        captures.close(id)
    }
}

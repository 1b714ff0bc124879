import CSegment
import Glibc
import Logging
import Roles
import Segment
import Timing

/// Notices that the data plane ended, came back, or took another segment, and says so.
struct DataPlaneWatch {
    private var epoch: UInt64 = 0
    private var isRunning = true
    private var hadOtherPorts = false
    private var lookedAt = Instant.zero

    /// Looks at most once a second.
    mutating func look(at segment: SegmentMapping, ports: [NodePort], at now: Instant, logger: Logger) {
        guard now - lookedAt >= .seconds(1) || lookedAt == .zero else { return }
        lookedAt = now
        let found = culvert_load_acquire_u64(culvert_dataplane_epoch(segment.view.header))
        let running = segment.isDataPlaneRunning
        if epoch == 0 {
            logger.info("data plane found", metadata: ["epoch": "\(found)", "running": "\(running)"])
        } else if found != epoch {
            logger.notice(
                "data plane has restarted; all sessions are still in the table", metadata: ["epoch": "\(found)"])
        } else if isRunning, !running {
            logger.error("data plane has ended; nothing is forwarded until it is started again")
        }
        epoch = found
        isRunning = running
        // Twice in a row: a data plane that starts describes its ports a while after it has raised the epoch, field by field.
        let hasOtherPorts = !NodePort.all(in: segment.view).elementsEqual(ports) { $0.isSamePort(as: $1) }
        if hadOtherPorts, hasOtherPorts {
            logger.critical("the data plane has other ports than before; ending, to be started anew with those")
            exit(EXIT_FAILURE)
        }
        hadOtherPorts = hasOtherPorts
        if !segment.isStillAtPath {
            // Everything this process knows refers to a table that nobody forwards by any more.
            logger.critical(
                "the segment's file was removed or replaced; ending, to be started anew on the data plane's next one")
            exit(EXIT_FAILURE)
        }
    }
}

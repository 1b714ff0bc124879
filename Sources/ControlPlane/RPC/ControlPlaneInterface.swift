import Observability
import Wire

/// What the RPC server asks of whoever owns the control plane's state.
///
/// Every method is one question or order; the owner answers from its event loop. Long lists are asked for page by page, so
/// that the loop does other work between two pages. An object that is there all the time must appear in exactly one page,
/// whatever else comes and goes meanwhile: a position in a table or in the order of ids does that, a count of elements does
/// not.
///
/// Failures are thrown as `ControlPlaneError`; anything else reaches the caller as an internal error.
public protocol ControlPlaneInterface: Sendable {
    /// The node as a whole.
    func status() async throws -> StatusSnapshot

    /// Up to `limit` tunnels in the order of their ids, from `page` on; event history only with `detail`. Throws
    /// `notFound` when `filter` names one tunnel and there is none.
    func tunnels(
        _ filter: TunnelFilter, detail: Bool, from page: PageToken?, limit: Int
    ) async throws -> Page<TunnelSnapshot>

    /// Up to `limit` L2TP sessions, from `page` on; event history only with `detail`. Throws `notFound` when `filter`
    /// names a tunnel or session that is not there.
    func sessions(
        _ filter: SessionFilter, detail: Bool, from page: PageToken?, limit: Int
    ) async throws -> Page<SessionSnapshot>

    /// Up to `limit` routes of the access concentrator, from `page` on. Throws `notFound` when `filter` names an instance
    /// or route that is not there.
    func connections(
        _ filter: ConnectionFilter, from page: PageToken?, limit: Int
    ) async throws -> Page<PPPoEConnectionSnapshot>

    /// The access concentrator's counters.
    func statistics() async throws -> ACStatistics

    /// The data plane's ports; as it left them when it does not run, which `status` tells.
    func ports() async throws -> [PortSnapshot]

    /// The data plane's counters, each worker's part only with `perWorker`; as it left them when it does not run.
    func counters(perWorker: Bool) async throws -> DataPlaneCounters

    /// Events from now on; with `initial`, first what is up now. `EventBroadcaster.watch` makes such a stream.
    func watch(initial: Bool) async throws -> AsyncThrowingStream<Event, any Error>

    /// Begins to take down `target` and everything below it. Throws `notFound` when there is none, `ambiguous` when a
    /// session id without a tunnel fits several.
    func clear(_ target: ClearTarget) async throws -> ClearOutcome

    /// Changes a session's policers, and answers what is in force then. Throws `notFound` when there is no such session or it
    /// does not forward yet, `ambiguous` as `clear` does, `exhausted` when no other policer can be made.
    func setPolicers(
        of session: SessionName, upstream: PolicerChange, downstream: PolicerChange
    ) async throws -> SessionPolicers

    /// Carries out a part of a controller's feed in order; one result for each operation.
    func apply(_ operations: [StaticOperation]) async throws -> [StaticResult]

    /// Up to `limit` static tunnels, or the one that `reference` names, from `page` on. Throws `notFound`.
    func staticTunnels(
        _ reference: StaticTunnelReference?, from page: PageToken?, limit: Int
    ) async throws -> Page<StaticTunnelStatus>

    /// Up to `limit` static sessions, or those in the tunnel that `reference` names, from `page` on. Throws `notFound`.
    func staticSessions(
        _ reference: StaticTunnelReference?, from page: PageToken?, limit: Int
    ) async throws -> Page<StaticSessionStatus>

    // MARK: Operators

    /// Up to `limit` destinations in any order that lasts, from `page` on; those with `address` where it is given, which throws
    /// `notFound` when there is none.
    func destinations(
        _ address: IPAddress?, from page: PageToken?, limit: Int
    ) async throws -> Page<DestinationSnapshot>

    /// Takes no new sessions on `target`, or takes them again; answers what is up there. Throws `notFound` when there is no such
    /// tunnel, instance or port; an address need not be a destination yet.
    func drain(_ target: DrainTarget, _ isDrained: Bool) async throws -> DrainOutcome

    /// Lets the access concentrator's counters begin at zero again.
    func clearStatistics() async throws

    /// What the node runs with, section by section; only `section` where it is given, which throws `notFound` when no section
    /// has the name.
    func runningConfiguration(_ section: String?) async throws -> [ConfigurationSection]

    /// Reads the configuration file again; applies it by difference when `apply` says so and it has no faults.
    func reload(apply: Bool) async throws -> ReloadOutcome

    /// What is being debugged.
    func debugRules() async throws -> [DebugRule]

    /// Changes what is being debugged, and answers what is then. Throws `notFound` for a rule to be taken away that there is
    /// none of.
    func setDebugging(_ change: DebugChange) async throws -> [DebugRule]

    /// Lines of debugging from now on. `DebugBroadcaster.watch` makes such a stream.
    func watchDebugging() async throws -> AsyncThrowingStream<DebugLine, any Error>

    /// Frames of `session` on both of its sides, each cut to `snapLength` octets (0: whole), with `control` the L2TP control
    /// messages of its tunnel as well, until the stream's consumer ends it. Throws `notFound` when there is no such session or it
    /// does not forward yet, `ambiguous` as `clear` does, `exhausted` when too many captures run, `unavailable` without a data
    /// plane.
    func capture(
        _ session: SessionName, snapLength: UInt32, control: Bool
    ) async throws -> AsyncThrowingStream<CaptureRecord, any Error>

    /// The RADIUS client.
    func radius() async throws -> RADIUSSnapshot

    /// The resolver, with its cache only when `cache` says so.
    func nameService(cache: Bool) async throws -> NameServiceSnapshot

    /// Accounting.
    func accounting() async throws -> AccountingSnapshot

    /// The node's own presence on its ports.
    func host() async throws -> HostSnapshot

    /// The last events, at most `limit`, oldest first.
    func recentEvents(_ limit: Int) async throws -> [Event]

    /// At most `limit` names that begin with `prefix`.
    func names(_ kind: NameKind, prefix: String, limit: Int) async throws -> [String]
}

/// Why the control plane could not do what it was asked. The message is for the operator: it names the object and, where
/// there is something to do, says what.
public struct ControlPlaneError: Error, Hashable, Sendable {
    /// Kinds of failures.
    public enum Code: Hashable, Sendable, CaseIterable {
        /// What was named is not there.
        case notFound
        /// What was asked for makes no sense.
        case invalid
        /// Several objects bear the name.
        case ambiguous
        /// A table is full.
        case exhausted
        /// The data plane, or whatever else it takes, is not there now.
        case unavailable
    }

    /// Kind of failure.
    public var code: Code
    /// For the operator.
    public var message: String

    /// A failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Where the RPC is served unless configured otherwise.
public let defaultSocketPath = "/run/culvert/culvertd.sock"

import Configuration
import Observability
import RADIUS
import Timing
import Wire

/// Accounting: what sessions and tunnels use is told to RADIUS servers (RFC 2866, RFC 2867). Octets and packets are the data plane's
/// own, final once no worker can count any more.
extension ControlNode {
    // MARK: Sessions

    /// The session is up.
    func startAccounting(of slot: UInt32, at now: Instant) {
        guard let connection = connections[slot],
            let settings = configuration.accessConcentrator(connection.request.instance.name)?.accounting
        else { return }
        let asked = settings.interimInterval > 0 ? Duration.seconds(settings.interimInterval) : nil
        let accounting = SessionAccounting(
            group: settings.group, accountsTunnel: settings.tunnel, session: radiusSession(of: connection),
            startedAt: now, interimInterval: connection.authorization?.interimInterval ?? asked)
        connections[slot]?.accounting = accounting
        changed.sessions[connection.routeID] = slot
        record(.start(accounting.session, nas: radiusIdentity, at: seconds(now)), group: accounting.group, at: now)
        if accounting.accountsTunnel {
            record(
                .tunnelLinkStart(accounting.session, nas: radiusIdentity, at: seconds(now)), group: accounting.group,
                at: now)
        }
        scheduleInterim(slot, accounting, at: now)
    }

    private func scheduleInterim(_ slot: UInt32, _ accounting: SessionAccounting, at now: Instant) {
        guard let interval = accounting.interimInterval else { return }
        agenda.schedule(.interim(slot: slot), at: now + interval)
    }

    /// The session goes on.
    func interimTimerFired(_ slot: UInt32, at now: Instant) {
        guard let connection = connections[slot], connection.phase == .open, let accounting = connection.accounting
        else { return }
        let traffic = table.traffic(upstream: slot)
        connections[slot]?.accounting?.counted = traffic
        changed.sessions[connection.routeID] = slot
        record(
            .interimUpdate(
                accounting.session,
                usage: SessionUsage(traffic, time: now - accounting.startedAt),
                nas: radiusIdentity, at: seconds(now)), group: accounting.group, at: now)
        scheduleInterim(slot, accounting, at: now)
    }

    /// The session's counters are final.
    func stopAccounting(of ending: EndingSession, _ traffic: SessionTraffic, at now: Instant) {
        guard let accounting = ending.accounting else { return }
        let usage = SessionUsage(traffic, time: ending.endedAt - accounting.startedAt)
        record(
            .stop(
                accounting.session, usage: usage, cause: ending.cause, nas: radiusIdentity, at: seconds(ending.endedAt)),
            group: accounting.group, at: now)
        guard accounting.accountsTunnel else { return }
        record(
            .tunnelLinkStop(
                accounting.session,
                end: TunnelAccountingEnd(usage: usage, cause: ending.cause, packetsLost: ending.packetsLost),
                nas: radiusIdentity, at: seconds(ending.endedAt)), group: accounting.group, at: now)
    }

    /// An LNS did not take the client's call.
    func accountRejectedLink(of slot: UInt32, call: CallID, at now: Instant) {
        guard let connection = connections[slot], let tunnel = tunnels[call.tunnel],
            let settings = configuration.accessConcentrator(connection.request.instance.name)?.accounting,
            settings.tunnel
        else { return }
        var session = radiusSession(of: connection)
        session.tunnel = accounted(tunnel, call: call)
        record(
            .tunnelLinkReject(session, cause: .serviceUnavailable, nas: radiusIdentity, at: seconds(now)),
            group: settings.group, at: now)
    }

    // MARK: Tunnels

    /// How a tunnel, and a call in it, is named in records.
    func accounted(_ record: TunnelRecord, call: CallID?) -> AccountedTunnel {
        var tunnel = AccountedTunnel(
            medium: record.peer.address.ipv6 == nil ? .ipv4 : .ipv6, clientEndpoint: "\(record.local.address)",
            serverEndpoint: "\(record.peer.address)")
        tunnel.assignmentID = record.destination.overrides.assignmentID
        tunnel.clientAuthID = record.machine.configuration.hostName
        tunnel.serverAuthID = record.machine.peer?.hostName
        // RFC 2867 section 4.1 leaves the form open; this is unique among all calls of the node.
        let number = call.flatMap { record.machine.sessions[$0.session]?.request.callSerialNumber }
        tunnel.connection = number.map { "\($0)" } ?? "\(record.id)"
        return tunnel
    }

    /// The tunnel is up, or could not be had.
    func accountTunnelStart(_ id: UInt16, at now: Instant) {
        guard let tunnel = tunnels[id], let group = destinations[tunnel.destination]?.accountingGroup else { return }
        let number = next(\.tunnelAccountNumbers)
        let account = TunnelAccount(
            group: group, id: "\(runID)-t\(hex(number, digits: 8))", tunnel: accounted(tunnel, call: nil),
            startedAt: now)
        tunnels[id]?.account = number
        changed.tunnelAccounts.insert(number)
        tunnelAccounts[number] = account
        record(
            .tunnelStart(account.tunnel, id: account.id, nas: radiusIdentity, at: seconds(now)), group: group, at: now)
    }

    func accountTunnelEnd(_ id: UInt16, cause: TerminateCause, at now: Instant) {
        guard let tunnel = tunnels[id] else { return }
        if let account = tunnel.account {
            tunnelAccounts[account]?.end = (now, cause)
            changed.tunnelAccounts.insert(account)
            finishTunnelAccount(account, at: now)
        } else if let group = destinations[tunnel.destination]?.accountingGroup {
            record(
                .tunnelReject(
                    accounted(tunnel, call: nil), id: "\(runID)-t\(hex(next(\.tunnelAccountNumbers), digits: 8))",
                    cause: cause,
                    nas: radiusIdentity, at: seconds(now)), group: group, at: now)
        }
    }

    /// Sends a tunnel's Stop when it has ended and the last of its sessions is counted.
    func finishTunnelAccount(_ number: UInt64, at now: Instant) {
        guard let account = tunnelAccounts[number], let end = account.end, account.sessions == 0 else { return }
        tunnelAccounts[number] = nil
        changed.tunnelAccounts.insert(number)
        record(
            .tunnelStop(
                account.tunnel, id: account.id,
                end: TunnelAccountingEnd(
                    usage: SessionUsage(account.traffic, time: end.at - account.startedAt), cause: end.cause),
                nas: radiusIdentity, at: seconds(end.at)), group: account.group, at: now)
    }

    // MARK: The node

    /// Groups that are told of sessions.
    var accountingGroups: [String] {
        Set(configuration.accessConcentrators.compactMap(\.accounting?.group)).sorted()
    }

    /// Takes records that an earlier process has left.
    func takeBacklog() {
        for (id, group, octets) in journal.takeBacklog() {
            guard let record = AccountingRecord(decoding: octets), configuration.radiusGroup(group) != nil else {
                logger.error("accounting record of an earlier run cannot be sent: its group is gone, or it is damaged")
                journal.remove([id])
                accountingCounters[.lost] += 1
                continue
            }
            accountingCounters[.replayed] += 1
            records.add(.init(id: id, time: record.eventTime, octets: octets), group: group)
        }
        if accountingCounters[.replayed] > 0 {
            logger.notice(
                "accounting records of an earlier run are sent now",
                metadata: ["records": "\(accountingCounters[.replayed])"])
        }
    }

    /// Tells servers that the node begins to account; whatever they believe to be open is not.
    func accountingOn(at now: Instant) {
        for group in accountingGroups { accountingOn(group: group, at: now) }
    }

    func accountingOn(group: String, at now: Instant) {
        record(.accountingOn(id: runID, nas: radiusIdentity, at: seconds(now)), group: group, at: now)
    }

    /// Tells servers that the node will account no more.
    func accountingOff(at now: Instant) {
        for group in accountingGroups {
            record(
                .accountingOff(id: runID, cause: .adminReboot, nas: radiusIdentity, at: seconds(now)), group: group,
                at: now)
        }
    }

    // MARK: Records

    private func record(_ record: AccountingRecord, group: String, at now: Instant) {
        let octets: [UInt8]
        do { octets = try record.encoded() } catch {
            accountingCounters[.lost] += 1
            return logger.error("accounting record cannot be written: \(error)")
        }
        let id = records.isFull ? nil : journal.append(octets, group: group, time: record.eventTime)
        guard let id else {
            accountingCounters[.refused] += 1
            if !hasToldFull {
                logger.error(
                    "accounting records are lost: too many wait for a server already",
                    metadata: ["waiting": "\(records.count)", "group": "\(group)"])
                hasToldFull = true
            }
            return
        }
        accountingCounters[.made] += 1
        records.add(.init(id: id, time: record.eventTime, octets: octets), group: group)
        sendRecords(at: now)
    }

    /// Sends what may be sent.
    func sendRecords(at now: Instant) {
        for (group, entry) in records.next(at: now) {
            guard let record = AccountingRecord(decoding: entry.octets) else { continue }  // was encoded from one
            do {
                let (handle, outputs) = try radius.submit(
                    .accounting(record, age: record.age(at: seconds(now))), group: group, at: now)
                sentRecords[handle] = SentRecord(id: entry.id, group: group)
                perform(outputs, at: now)
            } catch {
                records.failed(entry.id, group: group, at: now)
                logger.warning("accounting record waits: \(error)", metadata: ["group": "\(group)"])
            }
        }
        agenda.schedule(.records, at: records.deadline)
    }

    /// A server has a record, or none would take it.
    func recordFinished(_ handle: RADIUSRequestHandle, _ result: RADIUSResult, at now: Instant) {
        guard let sent = sentRecords.removeValue(forKey: handle) else { return }
        if result.outcome == .accountingResponse {
            records.taken(sent.id, group: sent.group)
            journal.remove([sent.id])
            accountingCounters[.taken] += 1
            hasToldFull = hasToldFull && records.isFull
        } else {
            records.failed(sent.id, group: sent.group, at: now)
            accountingCounters[.unanswered] += 1
        }
        sendRecords(at: now)
    }

    func seconds(_ instant: Instant) -> UInt32 {
        UInt32(clamping: timestamp(instant).nanoseconds / 1_000_000_000)
    }
}

/// A record that was submitted.
struct SentRecord {
    var id: UInt64
    var group: String
}

/// The accounting of a session.
struct SessionAccounting {
    let group: String
    let accountsTunnel: Bool
    /// As it was when the session came up; all its records say the same.
    let session: RADIUSSession
    let startedAt: Instant
    let interimInterval: Duration?
    /// What it had carried at the last Interim-Update: what is told when the last word is lost with the table.
    var counted = SessionTraffic()
}

/// The accounting of a tunnel, until its last session is counted.
struct TunnelAccount {
    let group: String
    let id: String
    let tunnel: AccountedTunnel
    let startedAt: Instant
    /// Sessions that are not counted yet.
    var sessions = 0
    /// What those that are have used.
    var traffic = SessionTraffic()
    var end: (at: Instant, cause: TerminateCause)?
}

extension SessionUsage {
    /// What the data plane has counted; input is what comes from the client (RFC 2866 section 5.3).
    init(_ traffic: SessionTraffic, time: Duration) {
        self.init()
        inputOctets = traffic.upstreamOctets
        outputOctets = traffic.downstreamOctets
        inputPackets = traffic.upstreamPackets
        outputPackets = traffic.downstreamPackets
        self.time = time
    }
}

extension TerminateCause {
    /// Why a session ended, in accounting's words.
    init(_ cause: Cause) {
        self =
            switch cause.initiator {
            case .client: .userRequest
            case .peer: .hostRequest
            case .operator: .adminReset
            case .timeout: .lostService
            default: .nasError
            }
    }
}

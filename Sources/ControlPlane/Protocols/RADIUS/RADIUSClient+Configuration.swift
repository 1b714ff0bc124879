import Timing
import Wire

extension RADIUSClient {
    /// Sockets of each address family, held within what identifiers can be numbered for.
    private var sockets: Int { min(max(1, configuration.sockets), 64) }

    /// Takes a changed configuration. Requests under way to servers that stay go on; those to others go to the next server
    /// of their group. A server whose secret has changed, and one that loses the socket that a request used, is asked anew.
    public mutating func apply(
        _ configuration: RADIUSClientConfiguration, at now: Instant
    ) -> [RADIUSClientOutput] {
        self.configuration = configuration
        let restart = rebuild(at: now)
        for slot in restart { dispatch(slot, at: now) }
        return finish(at: now)
    }

    /// Builds channels and groups from the configuration, keeping what channels that stay know. Answers the slots of requests
    /// that have to be dispatched anew.
    @discardableResult
    mutating func rebuild(at now: Instant) -> [Int] {
        let old = channels
        let oldIndexes = channelsByEndpoint
        channels = []
        channelsByEndpoint = [:]
        var newIndexes: [Int: Int] = [:]
        var secretsChanged: Set<Int> = []
        for server in configuration.servers {
            for service in RADIUSService.allCases {
                let endpoint = Endpoint(address: server.key.address, port: server.key.port(of: service))
                // One port is one space of identifiers: it cannot be two channels. Port 0 is none.
                guard endpoint.port != 0, channelsByEndpoint[endpoint] == nil else { continue }
                channelsByEndpoint[endpoint] = channels.count
                guard let index = oldIndexes[endpoint], old[index].service == service else {
                    channels.append(Channel(server, service, sockets: sockets))
                    continue
                }
                newIndexes[index] = channels.count
                var channel = old[index]
                if channel.server.secret != server.secret { secretsChanged.insert(channels.count) }
                channel.server = server
                channel.identifiers.resize(to: sockets)
                channels.append(channel)
            }
        }
        rebuildGroups()
        rebuildProbers(secretsChanged: secretsChanged, at: now)
        return rebuildRequests(old: old, newIndexes: newIndexes, secretsChanged: secretsChanged)
    }

    private mutating func rebuildGroups() {
        groups = [:]
        for group in configuration.groups where groups[group.name] == nil {
            var members = Group()
            for key in group.servers {
                for service in RADIUSService.allCases {
                    let endpoint = Endpoint(address: key.address, port: key.port(of: service))
                    guard let index = channelsByEndpoint[endpoint], channels[index].service == service,
                        !members[service].contains(index)
                    else { continue }
                    members[service].append(index)
                }
            }
            groups[group.name] = members
        }
    }

    private mutating func rebuildProbers(secretsChanged: Set<Int>, at now: Instant) {
        deadlines.removeAll()
        for index in channels.indices {
            let isGone = channels[index].probe.map { $0.code >> 8 >= sockets } ?? false
            if let probe = channels[index].probe,
                isGone || secretsChanged.contains(index) || !channels[index].server.sendsStatusServer
            {
                channels[index].identifiers.giveBack(probe.code)
                channels[index].probe = nil
            }
            if !channels[index].server.sendsStatusServer {
                channels[index].probeAt = nil
            } else if let time = channels[index].probeAt {
                setProbeTimer(index, time)
            } else {
                // Soon, so that it is known how the servers are before the first client comes.
                setProbeTimer(index, now + randomized((.seconds(1), spread: .seconds(1))))
            }
        }
    }

    private mutating func rebuildRequests(
        old: [Channel], newIndexes: [Int: Int], secretsChanged: Set<Int>
    ) -> [Int] {
        var restart: [Int] = []
        inFlight = 0
        waiting = 0
        for index in channels.indices {
            channels[index].waiting = []
            channels[index].waitingCount = 0
            channels[index].pending = 0
        }
        for slot in requests.indices {
            guard let pending = requests[slot] else { continue }
            switch pending.stage {
            case .between: break
            case .waiting:
                // Queues are built anew by dispatching what waited, in the order of submission.
                requests[slot]?.stage = .between
                restart.append(slot)
            case .sent(let oldChannel):
                let hasSockets = pending.leases.allSatisfy { $0.code >> 8 < sockets }
                guard let channel = newIndexes[oldChannel] else {
                    requests[slot]?.leases = []
                    requests[slot]?.stage = .between
                    restart.append(slot)
                    continue
                }
                requests[slot]?.stage = .sent(channel: channel)
                inFlight += 1
                channels[channel].pending += 1
                deadlines.add(.request(pending.handle), at: pending.deadline)
                if secretsChanged.contains(channel) || !hasSockets {
                    release(slot)
                    // The same server again, from the start.
                    requests[slot]?.servers.removeLast()
                    restart.append(slot)
                }
            }
        }
        return restart.sorted { (requests[$0]?.handle.serial ?? 0) < (requests[$1]?.handle.serial ?? 0) }
    }
}

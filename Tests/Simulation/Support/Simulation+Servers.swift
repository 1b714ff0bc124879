import Names
import RADIUS
import Roles
import Timing
import Wire

// RADIUS servers and name servers.
extension Simulation {
    /// Puts the node's question to a RADIUS server.
    func ask(_ datagram: [UInt8], socket: Int, address: IPAddress, port: UInt16) {
        guard let index = Self.radiusAddresses.firstIndex(where: { .v4($0) == address }) else { return }
        digest(datagram, 5)
        say("node > radius \(index)", "code \(datagram.first ?? 0) identifier \(datagram.dropFirst().first ?? 0)")
        put(.requestToRADIUS(index, datagram, port: port, socket: socket), by: .radius(index))
    }

    func serve(_ datagram: [UInt8], server index: Int, port: UInt16, socket: Int) {
        guard let answer = radius[index].receive(datagram) else { return }
        let happening = Happening.answerFromRADIUS(index, answer, port: port, socket: socket, run: run)
        guard conditions.isRADIUSSlow else { return put(happening, by: .radius(index)) }
        queue.add(happening, at: now + .milliseconds(Int64(chance.below(2_500))))
    }

    /// What a server says of a client.
    func answer(to request: RADIUSAttributes) -> (code: RADIUSCode, attributes: RADIUSAttributes)? {
        tally[.accessRequests] += 1
        var attributes = RADIUSAttributes()
        if conditions.radiusRejects, chance.chance(500) {
            tally[.radiusRejects] += 1
            attributes.append(.replyMessage, text: "not today")
            return (.accessReject, attributes)
        }
        let user = request.text(.userName) ?? ""
        let first = user.utf8.reduce(0) { $0 &+ Int($1) } % 2
        for (tag, index) in [(1, first), (2, 1 - first)] as [(UInt8, Int)] {
            attributes.append(.tunnelType, integer: 3, tag: tag)
            attributes.append(.tunnelMediumType, integer: 1, tag: tag)
            attributes.append(.tunnelServerEndpoint, text: "\(Self.lnsAddresses[index])", tag: tag)
            attributes.append(.tunnelPreference, integer: UInt32(tag) * 10, tag: tag)
        }
        if !conditions.isMended {
            if chance.chance(150) { attributes.append(.sessionTimeout, integer: 5 + UInt32(chance.below(20))) }
            if chance.chance(150) { attributes.append(.idleTimeout, integer: 5 + UInt32(chance.below(20))) }
        }
        return (.accessAccept, attributes)
    }

    /// Puts the node's question to name servers.
    func ask(_ query: NameQuery) {
        tally[.nameQueries] += 1
        say("node > names", "\(query.name)?")
        var result = NameResult.addresses(
            Self.lnsAddresses.map { ResolvedAddress(.v4($0), ttl: 5) }, isComplete: true)
        var delay = Duration.milliseconds(5)
        switch conditions.names {
        case .well: break
        case .failing:
            tally[.nameFailures] += 1
            let failures: [NameResult] = [.failed(.serverFailure), .failed(.timedOut), .absent(.noSuchName, ttl: 5)]
            result = failures[Int(chance.below(3))]
        case .slow:
            tally[.nameDelays] += 1
            delay = .milliseconds(Int64(chance.below(9_000)))
        case .wrong:
            tally[.wrongNames] += 1
            result = .addresses([ResolvedAddress(.v4(Self.nobody), ttl: 3)], isComplete: true)
        }
        queue.add(.answerFromNames(query, result, run: run), at: now + delay)
    }
}

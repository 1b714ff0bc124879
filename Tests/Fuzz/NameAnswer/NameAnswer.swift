import Names
import Timing
import Wire

/// One answer against the decoder, and what it says against the cache. The input: one octet with the kind of address in its
/// lowest bit and the name's length in the others, the name, the message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: start, count: count))[...]
    guard let choice = input.popFirst() else { return 0 }
    let text = String(decoding: input.prefix(Int(choice >> 1)), as: UTF8.self)
    input = input.dropFirst(Int(choice >> 1))
    guard let name = try? HostName(text) else { return 0 }
    precondition((try? HostName(name.text)) == name, "a name is not its own name")
    precondition(name.text.utf8.count <= HostName.maximumLength, "a name is too long")
    let type: AddressRecordType = choice & 1 == 0 ? .a : .aaaa
    switch AddressAnswer(decoding: Array(input), name: name, type: type) {
    case .addresses(let addresses):
        precondition((1...AddressAnswer.maximumAddresses).contains(addresses.count), "none, or too many")
        precondition(Set(addresses.map(\.address)).count == addresses.count, "one twice")
        precondition(addresses.allSatisfy { ($0.address.ipv6 == nil) == (type == .a) }, "of the other kind")
        precondition(addresses.allSatisfy { $0.ttl < 1 << 31 }, "TTL")
        tell(.addresses(addresses, isComplete: true), of: name)
    case .absent(let absence, let ttl): tell(.absent(absence, ttl: ttl), of: name)
    case .alias(let target, _): precondition((try? HostName(target.text)) == target, "an alias is no name")
    case .failed(let failure): tell(.failed(failure), of: name)
    }
    return 0
}

private func tell(_ result: NameResult, of name: HostName) {
    var cache = NameCache<Int>()
    let query = NameQuery(name: name, servers: [])
    precondition(cache.lookUp(query, waiter: 1, at: .zero) == .waiting(startQuery: true), "known before it was asked")
    precondition(cache.answered(query, result, at: .zero).map(\.waiter) == [1], "not handed out")
    // Kept until its time is over, or not at all where it has none.
    if let row = cache.rows(at: .zero).first {
        precondition(row.result == result && row.remaining > .zero, "something else is known")
        let end = Instant.zero + row.remaining
        precondition(cache.lookUp(query, waiter: 2, at: end) == .waiting(startQuery: true), "used after its time")
        cache.abandon(2)
        precondition(cache.expire(at: end + .seconds(60)).isEmpty, "handed out to nobody")
    }
    precondition(cache.count == 0, "not forgotten in its time")
    precondition(cache.queryCount == 0 && cache.waiterCount == 0, "something is left over")
}

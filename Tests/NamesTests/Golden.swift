/// Answers of unbound 1.17.1 to questions with the id 0x1234, as they came by UDP.
enum Golden {
    static let a =
        "123485800001000100000000036c6e73046973703104746573740000010001c00c000100010000012c0004c0000201"
    /// The question's name was written `LNS.Isp1.test`.
    static let aaaa =
        "12348580000100010000000003"
        + "4c4e530449737031047465737400001c0001c00c001c000100000078001020010db8000000000000000000000001"
    /// alias1.test, 900 s, alias of alias2.test, 30 s, alias of lns.isp1.test, 300 s.
    static let aliases =
        "12348580000100030000000006616c6961733104746573740000010001c00c0005000100000384000906616c69617332c013c02900050001"
        + "0000001e000b036c6e730469737031c013c03e000100010000012c0004c0000201"
    static let four =
        "12348580000100040000000004666f757204746573740000010001c00c000100010000003c0004c000020ec00c000100010000003c0004c0"
        + "00020bc00c000100010000003c0004c000020cc00c000100010000003c0004c000020d"
    /// empty.test has no address; SOA with a TTL and a minimum of 20 s.
    static let noAddress =
        "12348580000100000001000005656d70747904746573740000010001c01200060001000000140021026e73c0120561646d696ec012000000"
        + "0100000e10000002580001518000000014"
    static let noSuchName =
        "123485830001000000010000066e6f7375636804746573740000010001c01300060001000000140021026e73c0130561646d696ec0130000"
        + "000100000e10000002580001518000000014"
    /// toempty.test, 7 s, alias of empty.test, and nothing about that.
    static let aliasAlone =
        "12348580000100010000000007746f656d70747904746573740000010001c00c0005000100000007000805656d707479c014"
    static let refused = "123485850001000000000000017807726566757365640000010001"
    static let serverFailure = "12348582000100000000000001790662726f6b656e0000010001"
    static let referral =
        "12348180000100000001000101780964656c65676174656404746573740000010001c00e000200010000012c0005026e73c00ec02e000100"
        + "010000012c0004c0000236"
    static let loop =
        "123485800001000200000000056c6f6f703104746573740000010001c00c000500010000000a0008056c6f6f7032c012c028000500010000"
        + "000a0002c00c"
    /// c.chain has no IPv6 address, and no SOA tells how long.
    static let noAddressNoSOA = "123485800001000000000000016305636861696e00001c0001"

    static func octets(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
        }
    }

    /// All of them, with the name and the kind that was asked for.
    static let all: [(hex: String, name: String, type: UInt16)] = [
        (a, "lns.isp1.test", 1), (aaaa, "lns.isp1.test", 28), (aliases, "alias1.test", 1), (four, "four.test", 1),
        (noAddress, "empty.test", 1), (noSuchName, "nosuch.test", 1), (aliasAlone, "toempty.test", 1),
        (refused, "x.refused", 1), (serverFailure, "y.broken", 1), (referral, "x.delegated.test", 1),
        (loop, "loop1.test", 1), (noAddressNoSOA, "c.chain", 28),
    ]
}

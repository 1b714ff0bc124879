import Testing
import Wire

@Suite struct ByteReaderTests {
    @Test func readsNetworkByteOrder() {
        var reader = ByteReader([0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b])
        #expect(reader.readUInt8() == 0x01)
        #expect(reader.readUInt16() == 0x0203)
        #expect(reader.readUInt32() == 0x0405_0607)
        #expect(reader.readBytes(2).map(Array.init) == [0x08, 0x09])
        #expect(reader.readUInt32() == nil)
        #expect(reader.count == 2, "a read that fails consumes nothing")
        #expect(Array(reader.readRemaining()) == [0x0a, 0x0b])
        #expect(reader.isEmpty)
        #expect(reader.readUInt8() == nil)
        #expect(reader.readBytes(-1) == nil)
    }

    @Test(arguments: [
        ("10.0.0.1", 0x0a00_0001 as UInt32?), ("255.255.255.255", 0xffff_ffff), ("256.0.0.1", nil), ("1.2.3", nil),
        ("1.2.3.4.5", nil), ("01.2.3.4", nil), ("a.b.c.d", nil), ("1..2.3", nil), ("+1.2.3.4", nil), ("", nil),
    ])
    func parsesDottedDecimal(text: String, value: UInt32?) {
        #expect(IPv4Address(text)?.value == value)
    }

    @Test func parsesMACAddresses() {
        #expect(MACAddress("00:00:5e:00:53:01")?.octets == [0, 0, 0x5e, 0, 0x53, 1])
        #expect(MACAddress("00:00:5e:00:53")?.octets == nil)
        #expect(MACAddress("00:00:5e:00:53:zz") == nil)
        #expect(MACAddress(value: 0x0000_5e00_5301).description == "00:00:5e:00:53:01")
    }
}

import Observability
import Testing

struct TimestampTests {
    // Expected values by `date -u -d @SECONDS +%FT%TZ`.
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z", "Jan 1 00:00:00 1970"),
        (1_464_783_925_250_999_999, "2016-06-01T12:25:25.250Z", "Jun 1 12:25:25 2016"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z", "Feb 29 00:00:00 2000"),
        (-1, "1969-12-31T23:59:59.999Z", "Dec 31 23:59:59 1969"),
        (.max, "2262-04-11T23:47:16.854Z", "Apr 11 23:47:16 2262"),
        (.min, "1677-09-21T00:12:43.145Z", "Sep 21 00:12:43 1677"),
    ])
    func texts(nanoseconds: Int64, rfc3339: String, screen: String) {
        let time = Timestamp(nanoseconds: nanoseconds)
        #expect(time.rfc3339 == rfc3339)
        #expect(time.dateAndTime(in: .utc) == screen)
    }

    @Test func secondsBeyondTheRangeAreHeldWithinIt() {
        #expect(Timestamp(seconds: .max).nanoseconds == .max)
        #expect(Timestamp(seconds: .min).nanoseconds == .min)
        #expect(Timestamp(seconds: -1).seconds == -1)
    }
}

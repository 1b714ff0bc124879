import Observability
import Testing

struct ACCounterTests {
    /// Operators' scripts know these names, in this order.
    @Test func namesAreThoseOfTheScreen() {
        #expect(
            ACCounter.allCases.map(\.name) == [
                "lnsLookupSuccessfulRequests", "lnsLookupFailedRequests", "lnsLookupDnsFailures",
                "lnsLookupRadiusFailures", "l2tpTunnelsOpened", "l2tpSessionsOpened", "l2tpSessionsClosed",
                "l2tpDnsFailures", "pppoePadiReceived", "pppoeInvalidPadi", "pppoePadoSent", "pppoePadsSent",
                "pppoePadrReceived", "pppoeInvalidPadr", "pppoeResentPadr", "pppoePadtReceived", "pppoeInvalidPadt",
                "pppoePadtSent", "routesCreated", "routesCreateFail", "routesDeleted", "routesDeleteFail",
                "routesDstOpenFail", "routesDestCloseFail", "routesSourceCloseFail", "routesClosedByDest",
                "routesClosedBySource",
                // Ours; the ones before are those of the seed's screen.
                "routesOverSessionLimit", "routesOverSessionLimitPerMac", "routesOverSessionLimitPerVlan",
                "routesOverSessionLimitPerPort", "routesOverHalfOpenLimit", "routesOverHalfOpenLimitPerMac",
                "routesOverHalfOpenLimitPerVlan", "routesOverHalfOpenLimitPerPort", "routesHalfOpenGivenUp",
                "l2tpStrangerMessages", "l2tpTunnelsRecovered", "l2tpRecoveriesFailed",
            ])
    }

    @Test func textsTellCountersApart() {
        #expect(Set(ACCounter.allCases.map(\.text)).count == ACCounter.allCases.count)
    }
}

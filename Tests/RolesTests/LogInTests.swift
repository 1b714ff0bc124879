import Testing
import Wire

@Suite struct LogInTests {
    @Test func byCHAP() throws {
        let world = try World()
        world.dialled()
        print(world.trace, world.counters, world.takeEvents(), world.population, world.states(), world.null.upstreams)
        world.expectNothingLeft()
        print(world.trace)
    }
}

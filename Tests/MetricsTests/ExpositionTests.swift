import Foundation
import Host
import Metrics
import Observability
import Segment
import Testing

@Suite struct ExpositionTests {
    @Test func theFormatIsPrometheus() {
        var family = MetricFamily("a_total", .counter, "back\\slash,\nline and \"quotation\"")
        family.add(.whole(.max), .init("x", "back\\slash,\nline and \"quotation\""), .init("y", ""))
        family.add(.real(0.25))
        let text = MetricFamily.text(of: [
            family, MetricFamily("empty", .gauge, "left out"), MetricFamily("b", .gauge, "plain", .real(-1.5e300)),
        ])
        #expect(
            text == #"""
                # HELP a_total back\\slash,\nline and "quotation"
                # TYPE a_total counter
                a_total{x="back\\slash,\nline and \"quotation\"",y=""} 18446744073709551615
                a_total 0.25
                # HELP b plain
                # TYPE b gauge
                b -1.5e+300

                """#)
    }

    /// Each counter of each table is there once, with the table's text and its exact value.
    @Test func everyCounterIsThere() {
        let families = Example.snapshot().families
        func check(_ name: String, _ help: String, _ value: UInt64) {
            let found = families.filter { $0.name == name }
            #expect(found.count == 1, "\(name)")
            #expect(found.first?.help == help)
            #expect(found.first?.kind == .counter)
            #expect(found.first?.samples.map(\.value) == [.whole(value)], "\(name)")
        }
        // `us` is microseconds to Prometheus.
        func here(_ name: String) -> String { name.replacingOccurrences(of: "_for_us", with: "_for_this_node") }
        for counter in Example.counters(perWorker: false).total {
            check("culvert_dataplane_\(here(counter.name))_total", counter.text, counter.value)
        }
        for counter in HostCounter.allCases {
            check("culvert_\(here(counter.name))_total", counter.text, UInt64(counter.rawValue))
        }
        let statistics = Example.snapshot().statistics
        for counter in ACCounter.allCases {
            let snake = counter.name.replacing(#/[A-Z]/#) { "_" + $0.output.lowercased() }
            check("culvert_ac_\(snake)_total", counter.text, statistics[counter])
        }
    }

    @Test func theSumOfDropsIsThatOfTheirCounters() {
        let drops = Counter.allCases.filter(\.isDrop)
        let sum = drops.reduce(0) { $0 + 2 * (UInt64($1.rawValue) + 1) + 1_000 }
        let text = MetricFamily.text(of: Example.snapshot().families)
        #expect(text.contains("\nculvert_dataplane_dropped_frames_total \(sum)\n"))
        #expect(drops.count > 60)
    }

    @Test func nodeAndPortsAreThere() {
        let text = MetricFamily.text(of: Example.snapshot().families)
        for line in [
            #"culvert_build_info{version="0.1.0"} 1"#, "culvert_control_epoch 2", "culvert_dataplane_up 1",
            "culvert_dataplane_epoch 3", "culvert_dataplane_heartbeat_age_seconds 0.012",
            "culvert_dataplane_uptime_seconds 93784", "culvert_dataplane_workers 2",
            #"culvert_capacity_used{table="sessions"} 60000"#, #"culvert_capacity_limit{table="tunnels"} 8191"#,
            #"culvert_connections{state="open"} 59997"#, #"culvert_connections{state="connecting"} 0"#,
            #"culvert_tunnels{state="established"} 8"#, #"culvert_sessions{state="established"} 59997"#,
            "culvert_static_tunnels 4", "culvert_static_sessions 5000",
            #"culvert_port_info{port="core0",device="net_af_packet1,iface=core0",mac="02:00:5e:00:00:01","#
                + #"dispatch="single",access="false",core="true"} 1"#,
            #"culvert_port_link_up{port="access0"} 1"#, #"culvert_port_link_up{port="core0"} 0"#,
            #"culvert_port_link_speed_bytes_per_second{port="core0"} 1250000000"#,
            #"culvert_port_mtu_bytes{port="core0"} 1500"#, #"culvert_port_rx_packets_total{port="core0"} 11"#,
            #"culvert_port_tx_packets_total{port="access0"} 30"#,
            "culvert_dataplane_rx_access_octets_total 18014398509481986",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!text.contains("culvert_tunnel_"))
        #expect(!text.contains("culvert_worker_"))
        #expect(!text.contains("left_out"))
    }

    @Test func workersOneByOneTakeTheSumsPlace() throws {
        let families = Example.snapshot(perWorker: true).families
        let family = try #require(families.first { $0.name == "culvert_dataplane_mss_clamped_total" })
        let value = UInt64(Counter.mssClamped.rawValue) + 1
        #expect(family.samples.map(\.labels) == [[.init("worker", "0")], [.init("worker", "1")]])
        #expect(family.samples.map(\.value) == [.whole(value), .whole(value + 1_000)])
        let text = MetricFamily.text(of: families)
        #expect(text.contains("\nculvert_dataplane_control_punt_ring_full_total 5\n"))
        #expect(text.contains("\nculvert_worker_busy_loops_total{worker=\"1\",core=\"3\"} 50\n"))
        // Sums and parts beside each other would count twice.
        #expect(!text.contains("\nculvert_dataplane_mss_clamped_total "))
    }

    @Test func tunnelsOneByOne() {
        let text = MetricFamily.text(of: Example.snapshot(tunnels: 2).families)
        let labels = #"{tunnel="1001",name="isp \"1\"\\",peer="10.99.0.2"}"#
        #expect(text.contains("\nculvert_tunnel_sessions\(labels) 41\n"))
        #expect(text.contains("\nculvert_tunnel_up\(labels) 1\n"))
        #expect(text.contains("\nculvert_tunnel_control_retransmits_total\(labels) 1\n"))
        // Nine tunnels are there, two are told of.
        #expect(text.contains("\nculvert_tunnels_left_out 7\n"))
    }

    /// A family stands in one piece, whatever its samples come from.
    @Test(arguments: [false, true]) func everyFamilyIsThereOnce(perWorker: Bool) {
        var snapshot = Example.snapshot(perWorker: perWorker, tunnels: 3)
        for server in ["a", "b"] {
            snapshot.groups.append(
                MetricGroup(
                    "radius", labels: [.init("server", server)],
                    [NamedCounter(name: "requests", text: "requests", value: 1)]))
        }
        let names = snapshot.families.map(\.name)
        #expect(names.count == Set(names).count)
        #expect(snapshot.families.first { $0.name == "culvert_radius_requests_total" }?.samples.count == 2)
        for family in snapshot.families {
            #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
            #expect(Set(family.samples.map(\.labels)).count == family.samples.count, "\(family.name)")
        }
    }

    @Test func theProcessIsThere() throws {
        let families = ProcessFamilies.read()
        func value(_ name: String) throws -> Double {
            switch try #require(families.first { $0.name == name }?.samples.first?.value) {
            case .whole(let number): Double(number)
            case .real(let number): number
            }
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") >= 64)
        #expect(try value("process_threads") >= 1)
        let started = try value("process_start_time_seconds")
        let now = Date().timeIntervalSince1970
        #expect(started > now - 3_600 && started <= now + 1)
    }
}

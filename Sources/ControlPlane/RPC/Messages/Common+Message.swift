import Observability
import SwiftProtobuf

extension Timestamp {
    var message: Google_Protobuf_Timestamp {
        .with {
            $0.seconds = seconds
            $0.nanos = nanosecondsOfSecond
        }
    }

    init(_ message: Google_Protobuf_Timestamp) {
        let start = Timestamp(seconds: message.seconds).nanoseconds
        let (sum, overflowed) = start.addingReportingOverflow(Int64(message.nanos))
        self.init(nanoseconds: overflowed ? start : sum)
    }
}

extension NamedCounter {
    var message: Culvert_V1_Counter {
        .with {
            $0.name = name
            $0.text = text
            $0.value = value
        }
    }

    init(_ message: Culvert_V1_Counter) {
        self.init(name: message.name, text: message.text, value: message.value)
    }
}

extension Traffic {
    var message: Culvert_V1_Traffic {
        .with {
            $0.rxPackets = rxPackets
            $0.rxOctets = rxOctets
            $0.txPackets = txPackets
            $0.txOctets = txOctets
        }
    }

    init(_ message: Culvert_V1_Traffic) {
        self.init(
            rxPackets: message.rxPackets, rxOctets: message.rxOctets, txPackets: message.txPackets,
            txOctets: message.txOctets)
    }
}

extension StateTransition {
    var message: Culvert_V1_StateTransition {
        .with {
            $0.time = time.message
            $0.event = event
            $0.state = state
            $0.newState = newState
        }
    }

    init(_ message: Culvert_V1_StateTransition) {
        self.init(
            time: Timestamp(message.time), event: message.event, state: message.state, newState: message.newState)
    }
}

extension FramingTypes {
    var message: Culvert_V1_FramingTypes {
        .with {
            $0.sync = sync
            $0.async = async
        }
    }

    init(_ message: Culvert_V1_FramingTypes) { self.init(sync: message.sync, async: message.async) }
}

extension BearerTypes {
    var message: Culvert_V1_BearerTypes {
        .with {
            $0.digital = digital
            $0.analog = analog
        }
    }

    init(_ message: Culvert_V1_BearerTypes) { self.init(digital: message.digital, analog: message.analog) }
}

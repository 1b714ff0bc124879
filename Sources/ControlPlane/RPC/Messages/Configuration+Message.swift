import Observability

extension ConfigurationSection {
    var message: Culvert_V1_ConfigSection {
        .with {
            $0.name = name
            $0.text = text
        }
    }

    init(_ message: Culvert_V1_ConfigSection) { self.init(name: message.name, text: message.text) }
}

extension ConfigurationChange {
    var message: Culvert_V1_ConfigChange {
        .with {
            $0.kind = kind.message
            $0.section = section
            $0.element = element
            $0.setting = setting
            $0.oldValue = oldValue
            $0.newValue = newValue
            $0.effect = effect.message
        }
    }

    init(_ message: Culvert_V1_ConfigChange) throws(FieldError) {
        self.init(
            try Kind(message.kind, "kind"), section: message.section, element: message.element,
            setting: message.setting, oldValue: message.oldValue, newValue: message.newValue,
            effect: try Effect(message.effect, "effect"))
    }
}

extension FileFault {
    var message: Culvert_V1_ConfigFault {
        .with {
            $0.line = line
            $0.field = field
            $0.reason = reason
        }
    }

    init(_ message: Culvert_V1_ConfigFault) {
        self.init(line: message.line, field: message.field, reason: message.reason)
    }
}

extension ReloadOutcome {
    var message: Culvert_V1_ReloadResponse {
        .with {
            $0.path = path
            $0.applied = applied
            $0.changes = changes.map(\.message)
            $0.faults = faults.map(\.message)
        }
    }

    init(_ message: Culvert_V1_ReloadResponse) throws(FieldError) {
        self.init(path: message.path, applied: message.applied, faults: message.faults.map { FileFault($0) })
        for change in message.changes { changes.append(try ConfigurationChange(change)) }
    }
}

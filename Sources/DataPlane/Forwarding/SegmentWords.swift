import CSegment

// The segment's enumerations, which C gives as Int, as the words that they are compared with.

/// State of a table entry.
enum EntryState {
    @inline(__always) static var punt: UInt32 { UInt32(CULVERT_STATE_PUNT) }
    @inline(__always) static var forward: UInt32 { UInt32(CULVERT_STATE_FORWARD) }
}

/// Roles of a port.
enum PortRole {
    @inline(__always) static var access: UInt32 { UInt32(CULVERT_PORT_ACCESS) }
    @inline(__always) static var core: UInt32 { UInt32(CULVERT_PORT_CORE) }
}

/// Flags of a tunnel template.
enum TemplateFlag {
    @inline(__always) static var lengthField: UInt32 { UInt32(CULVERT_TEMPLATE_L2TP_LENGTH) }
    @inline(__always) static var udpChecksum: UInt32 { UInt32(CULVERT_TEMPLATE_UDP_CHECKSUM) }
    @inline(__always) static var inheritsTrafficClass: UInt32 { UInt32(CULVERT_TEMPLATE_TOS_INHERIT) }
    @inline(__always) static var ready: UInt32 { UInt32(CULVERT_TEMPLATE_READY) }
    @inline(__always) static var fragments: UInt32 { UInt32(CULVERT_TEMPLATE_FRAGMENT) }
    @inline(__always) static var tellsInside: UInt32 { UInt32(CULVERT_TEMPLATE_TELL_INSIDE) }
    @inline(__always) static var offsetPad: UInt32 { UInt32(CULVERT_TEMPLATE_OFFSET_PAD) }
}

/// Flags of a tunnel.
enum TunnelFlag {
    @inline(__always) static var zeroChecksum: UInt32 { UInt32(CULVERT_TUNNEL_ZERO_CHECKSUM) }
}

/// Features of a session's direction.
enum SessionFeature {
    @inline(__always) static var policed: UInt32 { UInt32(CULVERT_FEATURE_POLICED) }
    @inline(__always) static var clamped: UInt32 { UInt32(CULVERT_FEATURE_CLAMPED) }
    @inline(__always) static var sequenced: UInt32 { UInt32(CULVERT_FEATURE_SEQUENCED) }
    @inline(__always) static var reordered: UInt32 { UInt32(CULVERT_FEATURE_REORDERED) }
    @inline(__always) static var captured: UInt32 { UInt32(CULVERT_FEATURE_CAPTURED) }
}

/// The state of a table entry, whose first word it is. Acquire: what was written before the state is seen after it.
@inline(__always)
func entryState(_ entry: UnsafeRawPointer) -> UInt32 {
    culvert_load_acquire_u32(entry.assumingMemoryBound(to: UInt32.self))
}

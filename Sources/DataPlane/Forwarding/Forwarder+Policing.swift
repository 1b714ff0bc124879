import CDPDK
import CSegment
import Segment

// Policers: a session's frames beyond its rates are dropped, in each direction on its own. The buckets lie in the session's
// feature line, so that they outlive the worker; what the rates mean in cycles is worked out once per worker and policer.

/// A policer as a worker knows it: the meter's own form of the rates that a generation of the segment's entry gave.
struct PolicerProfile {
    var meter = rte_meter_trtcm_profile()
    /// Even generation of the entry that this was made from; 0: none yet.
    var generation: UInt32 = 0
    /// 1 when the rates are usable. Then both of the meter's periods are not 0.
    var isUsable: UInt32 = 0
}

extension Forwarder {
    /// Why the policer of a session, whose feature line is at `features`, does not let a frame of `length` octets of PPP pass:
    /// `reason`, or `policerInvalid`; nil: it does.
    @inline(never)
    func refusal(
        length: UInt32, _ features: UnsafeMutablePointer<culvert_features>, _ reason: Counter
    ) -> Counter? {
        let line = UnsafeMutableRawPointer(features)
        let index = UInt32(culvert_load_relaxed_u16((line + 2).assumingMemoryBound(to: UInt16.self)))
        guard let profile = profile(of: index & view.policerMask) else { return .policerInvalid }
        let meter = (line + 8).assumingMemoryBound(to: UInt64.self)
        if meter[0] == 0 {
            // Nobody has metered yet: both buckets are full (RFC 2698, section 3).
            (meter[0], meter[1]) = (state.pointee.now, state.pointee.now)
            (meter[2], meter[3]) = (profile.pointee.meter.cbs, profile.pointee.meter.pbs)
        }
        guard culvert_meter_is_red(meter, &profile.pointee.meter, state.pointee.now, length) != 0 else { return nil }
        culvert_add_single_writer_u64((line + 40).assumingMemoryBound(to: UInt64.self), 1)
        return reason
    }

    /// The meter of a policer, made anew when culvertd has changed the rates; nil when they are none that a meter can have.
    @inline(__always)
    private func profile(of index: UInt32) -> UnsafeMutablePointer<PolicerProfile>? {
        let profile = profiles + Int(truncatingIfNeeded: index)
        let entry = view.policers + Int(truncatingIfNeeded: index)
        let generation = culvert_load_relaxed_u32(&entry.pointee.generation)
        if profile.pointee.generation != generation || generation == 0 {
            guard rebuild(profile, index) else { return nil }
        }
        return profile.pointee.isUsable != 0 ? profile : nil
    }

    /// Makes a profile from the segment's entry. False: there are no whole rates there at present.
    @inline(never)
    private func rebuild(_ profile: UnsafeMutablePointer<PolicerProfile>, _ index: UInt32) -> Bool {
        guard let (generation, rates) = view.policerRates(index) else { return false }
        profile.pointee.generation = generation
        profile.pointee.isUsable = 0
        guard rates.isValid,
            culvert_meter_configure(
                &profile.pointee.meter, rates.committedRate, rates.peakRate, rates.committedBurst, rates.peakBurst)
                == 0,
            profile.pointee.meter.cir_period != 0, profile.pointee.meter.pir_period != 0
        else { return true }
        profile.pointee.isUsable = 1
        return true
    }
}

import CDPDK
import CSegment

extension TableWriter {
    /// Frees what no worker can hold any more, at most `limit` entries, and tells the totals of the sessions among them.
    ///
    /// It never waits: call it now and then, while `occupancy.waiting` is not 0. A worker that is offline is not waited for,
    /// nor is a data plane that does not run: one that starts finds nothing that was unpublished before.
    /// - Returns: how many entries were freed.
    @discardableResult
    public func reclaim(limit: Int = 4_096, deliver: (SessionTotals) -> Void) -> Int {
        var freed = 0
        while freed < limit, waiting.count > 0, isSealedBatchOver() {
            while freed < limit, let (kind, index) = waiting.popSealed() {
                free(kind, index, deliver)
                freed += 1
            }
        }
        return freed
    }

    /// Whether the oldest batch has outlived every reader; seals one first when there is none.
    private func isSealedBatchOver() -> Bool {
        if (waiting.sealed?.count ?? 0) == 0 {
            // Unpublish, fence, read the epoch: the other half of what SegmentMapping says where it raises it.
            culvert_fence()
            let epoch = culvert_load_acquire_u64(&view.header.pointee.dataplane_epoch)
            waiting.sealed = GraceQueue.Seal(
                token: culvert_rcu_start(view.quiescent), epoch: epoch, count: waiting.count)
        }
        guard let seal = waiting.sealed else { return false }
        if seal.isOver { return true }
        let isOver =
            culvert_load_acquire_u64(&view.header.pointee.dataplane_epoch) != seal.epoch
            || culvert_rcu_check(view.quiescent, seal.token) == 1 || !segment.isDataPlaneRunning
        waiting.sealed?.isOver = isOver
        return isOver
    }

    private func free(_ kind: GraceQueue.Kind, _ index: UInt32, _ deliver: (SessionTotals) -> Void) {
        switch kind {
        case .session:
            let slot = UpstreamSlot(rawValue: index)
            let partner = partner(of: slot)
            let line = view.upstream[Int(index)]
            let totals = SessionTotals(
                slot: slot, sessionID: UInt16(bigEndian: line.session_id), owner: EntryOwner(rawValue: line.owner),
                reference: line.reference, counters: counters(slot, partner))
            // Told first: should the process end here, the next writer tells them again rather than not at all.
            deliver(totals)
            if let partner { freeDownstream(partner.rawValue) }
            freeUpstream(index)
        case .upstream:
            freeUpstream(index)
        case .downstream:
            freeDownstream(index)
        case .tunnel:
            culvert_store_release_u32(&view.tunnels[Int(index)].state, EntryState.free)
            isTemplateResting[Int(index)] = false
            freeTunnels.append(index)
        case .circuit:
            culvert_store_release_u32(&view.circuits[Int(index)].state, EntryState.free)
            freeCircuits.append(index)
        case .vlanBlock:
            clearBlock(index)
            freeBlocks.append(index)
        case .template:
            isTemplateResting[Int(index)] = false
            if let next = waitingTemplates.removeValue(forKey: index) { swingTemplate(index, next) }
        }
    }

    /// Makes a block empty that no port refers to. Pages that are empty stay untouched, so that they stay unallocated.
    private func clearBlock(_ block: UInt32) {
        let first = view.vlanEntries + Int(block) << 12
        for vlan in 0..<Int(CULVERT_VLAN_COUNT) where first[vlan] != 0 { first[vlan] = 0 }
        blockUse[Int(block)] = 0
    }
}

import CSegment
import Glibc

/// A thread that goes on overwriting words of one memory with those of another and back again.
final class Changer: @unchecked Sendable {
    private let target: UnsafeMutableRawPointer
    private let images: [UnsafeMutableRawPointer]
    private let size: Int
    private var random: SplitMix
    private var thread = pthread_t()
    private let flag = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)

    /// Changes `size` octets at `target`, word by word, between what is there now and what is at `other`.
    init(target: UnsafeMutableRawPointer, other: UnsafeMutableRawPointer, size: Int, seed: UInt64) {
        self.target = target
        self.size = size
        random = SplitMix(seed: seed)
        let now = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        now.copyMemory(from: target, byteCount: size)
        images = [now, other]
        flag.initialize(to: 0)
    }

    deinit {
        images[0].deallocate()
        flag.deallocate()
    }

    /// Starts the thread. `stop` must follow.
    func start() {
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Changer>.fromOpaque(argument).takeUnretainedValue().run() }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Ends the thread and waits for it.
    func stop() {
        culvert_store_release_u32(flag, 1)
        pthread_join(thread, nil)
    }

    private func run() {
        while culvert_load_acquire_u32(flag) == 0 {
            let offset = Int.random(in: 0..<size / 8, using: &random) * 8
            let image = images[Int(random.next() & 1)]
            target.storeBytes(
                of: image.load(fromByteOffset: offset, as: UInt64.self), toByteOffset: offset, as: UInt64.self)
        }
    }
}

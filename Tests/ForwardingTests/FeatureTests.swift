import Testing

/// What few sessions have. One after the other, since the tests share ports and packet buffers.
extension ForwardingTests {
    @Suite(.serialized) struct FeatureTests {}
}

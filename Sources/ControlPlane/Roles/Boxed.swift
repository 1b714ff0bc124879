/// A value that lies by itself, and takes no room in what it belongs to while there is none.
///
/// For what a client has for a while or what few clients have: tens of thousands of them lie in one table, in which room for all
/// that any of them may have is room that each of them takes. Copies of the owner share the value until it is changed.
@propertyWrapper
struct Boxed<Value> {
    private final class Box {
        var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var box: Box?

    init(wrappedValue: Value?) { box = wrappedValue.map(Box.init) }

    var wrappedValue: Value? {
        get { box?.value }
        set {
            guard let newValue else { return box = nil }
            if box != nil, isKnownUniquelyReferenced(&box), let box {
                box.value = newValue
            } else {
                box = Box(newValue)
            }
        }
    }
}

// Where the frames that matter go is known; the compiler has to be told, so that their way through the code is a straight one.
// A branch that is taken costs more than one that is not, and the exit of a loop whose body has few of them is foreseen by
// the processor. Branches that end in `drop` need no word: that function is marked as cold.

/// `condition`, which nearly always holds.
@inline(__always)
func mostly(_ condition: Bool) -> Bool { _fastPath(condition) }

/// `condition`, which hardly ever holds.
@inline(__always)
func rarely(_ condition: Bool) -> Bool { _slowPath(condition) }

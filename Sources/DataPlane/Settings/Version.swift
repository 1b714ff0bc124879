/// The version of Culvert: what each program's `--version` tells, what peers are told where a protocol asks, and the version of the
/// Debian package, whose changelog has to agree.
public let culvertVersion = "0.1.0"

// The unified log and its signposts. Signatures are Apple's, from the pages named.
import Foundation

// https://developer.apple.com/documentation/os/os_proc_available_memory()
public func os_proc_available_memory() -> Int { 0 }

// https://developer.apple.com/documentation/os/ossignposter
public struct OSSignposter: Sendable {
    // https://developer.apple.com/documentation/os/ossignposter/init(subsystem:category:)-9h7c8
    public init(subsystem: String, category: String) {}

    // https://developer.apple.com/documentation/os/ossignposter/begininterval(_:id:)
    public func beginInterval(_ name: StaticString, id: OSSignpostID = .exclusive) -> OSSignpostIntervalState {
        OSSignpostIntervalState()
    }

    // https://developer.apple.com/documentation/os/ossignposter/endinterval(_:_:)
    public func endInterval(_ name: StaticString, _ state: OSSignpostIntervalState) {}
}

// https://developer.apple.com/documentation/os/ossignpostid
public struct OSSignpostID: Sendable {
    // https://developer.apple.com/documentation/os/ossignpostid/exclusive
    public static let exclusive = OSSignpostID()
}

// https://developer.apple.com/documentation/os/ossignpostintervalstate
public final class OSSignpostIntervalState {}

import Foundation

/// What the share extension says; its bundle has no catalog, so English everywhere.
enum ShareWords {
    static let opened = "Open AnyIR: the photo waits there."
    static let noSpace = "There is not enough space on this device to open the photo."
    static let notTaken = "AnyIR could not take this photo. Save it, and open it in AnyIR."
    static let done = "Done"
}

import Foundation

/// Whether an error, or one of those beneath it, says that the disk or the app's share of it is full.
public func isNoSpace(_ error: any Error) -> Bool {
    let error = error as NSError
    if error.domain == NSPOSIXErrorDomain { return [Int(ENOSPC), Int(EDQUOT)].contains(error.code) }
    if error.domain == NSCocoaErrorDomain, error.code == CocoaError.fileWriteOutOfSpace.rawValue { return true }
    let one = error.userInfo[NSUnderlyingErrorKey] as? any Error
    let several = error.userInfo["NSMultipleUnderlyingErrorsKey"] as? [any Error]
    return ([one].compactMap(\.self) + (several ?? [])).contains(where: isNoSpace)
}

import AnyIRCore

/// One sentence for the user. The app may translate a case; ``sentence`` is its English text.
public enum Notice: Sendable, Equatable {
    // What cannot be done now
    case busyOpening
    case busyRestoring
    case busyMeasuring
    case chooseFirst
    case onlyHalfSize(megapixels: Int)
    case nothingRuns
    case nothingToSave
    case sharedWaits

    // What went wrong with a photo
    case notAPhoto
    case animated
    case severalPages
    case cutOff
    case cannotDecode
    case gone
    case notDelivered
    case noPhotoMemory
    case tooLarge(megapixels: Int)
    case noSpaceToOpen

    // What went wrong with a restoration
    case model(String)
    case engineStopped(engine: String, model: String, reason: String)
    case noMemory
    case noSpaceForResult
    case timeWasUp

    // What went wrong with saving
    case noSpaceToSave
    case saveRefused
    case notTaken
    case notEncoded

    /// What an engine, a model or the system says itself.
    case verbatim(String)

    public var sentence: String {
        switch self {
        case .busyOpening: "A photo is being opened already; wait until it is, or cancel it."
        case .busyRestoring: "A photo is being restored; wait until it is done, or cancel it."
        case .busyMeasuring:
            "This device is being measured, which a restoration would disturb; wait until that is done, or stop it."
        case .chooseFirst: "Choose a photo first."
        case .onlyHalfSize(let megapixels):
            "This photo has \(megapixels) megapixels; up to \(PhotoInfo.maxMegapixels) can be restored. Restore it at "
                + "half size."
        case .nothingRuns: "None of the models here runs in this build of the app. The list of models says why."
        case .nothingToSave: "There is no restored photo to save."
        case .sharedWaits: "A photo from another app waits until this one is saved or closed."
        case .notAPhoto: "This file is not a photo that the app can read."
        case .animated: "This is an animation; only still photos can be restored."
        case .severalPages: "This file has several pages; only single photos can be restored."
        case .cutOff: "This photo is damaged: the end of its file is missing."
        case .cannotDecode: "This photo cannot be decoded: it is damaged, or of a kind that this system does not know."
        case .gone: "This photo cannot be opened: it may have been deleted or moved."
        case .notDelivered: "This photo did not arrive from iCloud; check the network and try again."
        case .noPhotoMemory: "There is not enough memory to decode this photo."
        case .tooLarge(let megapixels):
            "This photo has \(megapixels) megapixels; up to \(PhotoInfo.maxMegapixels) can be restored, or "
                + "\(4 * PhotoInfo.maxMegapixels) at half size."
        case .noSpaceToOpen: "There is not enough space on this device to open the photo."
        case .model(let sentence): sentence
        case .engineStopped(let engine, let model, let reason):
            "\(engine) stopped while it ran \(model): \(reason)."
        case .noMemory: "There is not enough memory; close other apps, or choose a smaller model."
        case .noSpaceForResult: "There is not enough space on this device to keep the result."
        case .timeWasUp:
            "The restoration was ended in the background, by the system or there by you; open the app and try again."
        case .noSpaceToSave: "There is not enough space on this device: nothing was saved."
        case .saveRefused: "Saving needs the permission to add photos, which was refused: nothing was saved."
        case .notTaken: "The photo library did not take the photo: nothing was saved."
        case .notEncoded: "The result could not be written as a photo: nothing was saved or shared."
        case .verbatim(let sentence): sentence
        }
    }
}

/// What is said of an error that ended a restoration.
///
/// - Parameters:
///   - engine: its label
///   - model: its name
/// - Returns: nil where it was called off
public func notice(of error: any Error, engine: String, model: String) -> Notice? {
    switch error {
    case is CancellationError: nil
    case let error as any OneSentence: .model(error.sentence)
    default: .engineStopped(engine: engine, model: model, reason: reason(of: error))
    }
}

private func reason(of error: any Error) -> String {
    let text = sentence(of: error)
    return text.hasSuffix(".") ? String(text.dropLast()) : text
}

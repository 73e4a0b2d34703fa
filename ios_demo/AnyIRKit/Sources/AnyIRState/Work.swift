import AnyIRCore

/// The one photo that the app works on, from being chosen to being saved.
public enum Work: Sendable, Equatable {
    /// No photo.
    case idle

    /// A photo is fetched, copied and looked at.
    case opening

    /// A photo can be restored. `interrupted`: the app ended while it was being restored; it is offered again.
    case ready(PhotoInfo, interrupted: Bool = false)

    /// A photo is being restored. No progress: the model loads. `cancelling`: it ends with the tile that runs.
    case running(PhotoInfo, RestoreProgress?, cancelling: Bool = false)

    /// A photo is restored; the result is kept on this device until it is dismissed.
    case done(PhotoInfo, RestoredPhoto)

    /// Something went wrong. The photo can be restored again, or is nil where there is none to restore.
    case failed(PhotoInfo?, Notice)

    /// The photo that this is about, which can be restored, or nil.
    public var photo: PhotoInfo? {
        switch self {
        case .idle, .opening: nil
        case .ready(let photo, _), .running(let photo, _, _), .done(let photo, _): photo
        case .failed(let photo, _): photo
        }
    }

    public var result: RestoredPhoto? {
        if case .done(_, let result) = self { return result }
        return nil
    }

    /// What the last process left.
    ///
    /// - Parameters:
    ///   - kept: nil where there is nothing that can be read
    ///   - exists: whether one of the app's files is still there
    public init(after kept: Kept?, exists: (String) -> Bool) {
        guard let kept, exists(kept.photo.file) else {
            self = .idle
            return
        }
        if let result = kept.result, exists(result.file) {
            self = .done(kept.photo, result)
        } else {
            self = .ready(kept.photo, interrupted: kept.running)
        }
    }
}

/// What became of the last tap on Save.
public enum Saving: Sendable, Equatable {
    case not
    case now

    /// With sentences about what the saved photo does not have.
    case done(notes: [String])
    case failed(Notice)
}

import Foundation

/// An error whose text is one sentence for the user.
public protocol OneSentence: LocalizedError, Sendable, CustomStringConvertible {
    var sentence: String { get }
}

extension OneSentence {
    public var errorDescription: String? { sentence }
    public var description: String { sentence }
}

/// A restoration came to nothing. One that was called off throws CancellationError instead.
public enum RestoreError: OneSentence, Equatable {
    /// The model's answer cannot be shown.
    case notFinite
    /// What the model found when it looked at the photo holds NaN or infinity.
    case lookNotFinite
    /// Another photo is being restored by the same restorer.
    case busy
    /// The overlap that the restorer was made with does not fit the model's tile.
    case overlap(Int, tile: Int)

    public var sentence: String {
        switch self {
        case .notFinite:
            "The model returned values that are no numbers (NaN or infinity), so there is no result."
        case .lookNotFinite:
            "The model looked at the photo and found values that are no numbers (NaN or infinity), so there is no "
                + "result."
        case .busy: "A photo is being restored; wait until it is done, or cancel it."
        case .overlap(let overlap, let tile): "The overlap \(overlap) is not in 0..\(tile / 2), half the model's tile."
        }
    }
}

/// An engine failed to load or to run a model.
public struct EngineError: OneSentence, Equatable {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// A manifest, or the model that it describes, cannot be used.
public struct ManifestError: OneSentence, Equatable {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// A benchmark that was asked for cannot be run.
public struct PlanError: OneSentence, Equatable {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// The reference tiles cannot be used.
public struct ReferenceError: OneSentence, Equatable {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// A photo's file cannot be read or written.
public struct PhotoFileError: OneSentence, Equatable {
    public let sentence: String

    public init(_ sentence: String) { self.sentence = sentence }
}

/// What went wrong in one line, whatever it was; a ``OneSentence`` says it itself.
public func sentence(of error: any Error) -> String {
    if let error = error as? any OneSentence { return error.sentence }
    let text = error is any LocalizedError ? error.localizedDescription : String(describing: error)
    let line = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        .joined(separator: " ")
    return "\(type(of: error)): \(line.prefix(200))"
}

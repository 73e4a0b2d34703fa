/// The parts of the main screen that take turns.
public enum Screen: Sendable, Equatable {
    case start, opening, ready, running, done, failed
}

/// Whether there is something to restore with.
public enum Models: Sendable, Equatable {
    case looking, none, noneRuns, some
}

extension AppState {
    public var screen: Screen {
        switch work {
        case .idle: .start
        case .opening: .opening
        case .ready: .ready
        case .running: .running
        case .done: .done
        case .failed: .failed
        }
    }

    public var models: Models {
        guard let catalogue else { return .looking }
        if catalogue.pair != nil { return .some }
        return catalogue.models.isEmpty ? .none : .noneRuns
    }

    public var canRestore: Bool { catalogue?.pair != nil && (work.photo != nil || work == .idle) }

    public var canClose: Bool { [.ready, .done, .failed].contains(screen) }

    /// Whether closing would lose a result.
    public var isUnsaved: Bool { work.result.map { !$0.saved } ?? false }

    /// What is chosen now, where something else made the result; nil: the same, or nothing can run.
    public var again: Pair? {
        guard let result = work.result, let pair = catalogue?.pair else { return nil }
        return pair == Pair(model: result.model, engine: result.engine) ? nil : pair
    }
}

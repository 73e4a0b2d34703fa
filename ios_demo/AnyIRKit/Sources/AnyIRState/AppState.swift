import AnyIRCore

/// All that the app's main screen depends on. It changes by ``handle(_:)`` alone, which also says what is to be done;
/// so the app's behaviour is tested without a screen.
public struct AppState: Sendable, Equatable {
    public private(set) var work: Work

    /// Nil before the models were looked up.
    public private(set) var catalogue: Catalogue?
    public private(set) var saving = Saving.not

    /// Whether a file is being made for another app.
    public private(set) var isSharing = false

    /// One sentence that belongs to no state, such as why a second photo is not taken; until the next thing that the
    /// user does.
    public private(set) var notice: Notice?

    /// Whether the user is asked if an unsaved result may be given up, and for what.
    public private(set) var question: Question?

    /// Whether a benchmark runs.
    public private(set) var isMeasuring = false

    /// What is shown again where the photo that is opened, or the restoration that runs, comes to nothing.
    private var before = Work.idle
    private var startsWhenReady = false

    /// - Parameter work: what the last process left
    public init(work: Work = .idle) { self.work = work }

    /// What an unsaved result would be given up for.
    public enum Question: Sendable, Equatable {
        case closing
        /// `photo` names what was chosen, as ``Event/choose(_:thenRestore:)`` had it.
        case opening(photo: String)
    }

    public enum Event: Sendable, Equatable {
        // By the user
        /// A photo was chosen: a name by which the app finds it.
        case choose(String, thenRestore: Bool = false)
        case restore
        case cancel
        case close
        /// Strength 0...1: how much of the restoration; 0 is the photo, 1 the result.
        case save(strength: Double)
        case share(strength: Double)
        /// To ``AppState/question``.
        case answer(giveUp: Bool)

        // By what was started
        case found(Catalogue)
        case opened(PhotoInfo)
        case notOpened(Notice)
        case progressed(RestoreProgress)
        case restored(RestoredPhoto)
        /// Nil: it was cancelled.
        case notRestored(Notice?)
        /// `file`: the result's, as others may have followed it.
        case saved(file: String, notes: [String])
        case notSaved(file: String, Notice)
        /// The file is made and offered.
        case shared
        case notShared(Notice)
        case measuring(Bool)
        case say(Notice)
    }

    /// What the app is to do.
    public enum Effect: Sendable, Equatable {
        /// Copy a photo and look at it; then ``Event/opened(_:)`` or ``Event/notOpened(_:)``.
        case open(String)
        case cancelOpening
        /// Restore; then ``Event/restored(_:)`` or ``Event/notRestored(_:)``.
        case restore(PhotoInfo, Pair, halfSize: Bool)
        case cancelRestoring
        /// Write down what outlives the process, and delete all other files; nil: nothing does.
        case keep(Kept?)
        case save(PhotoInfo, RestoredPhoto, strength: Double)
        /// Make a file for another app; then ``Event/shared`` or ``Event/notShared(_:)``.
        case share(PhotoInfo, RestoredPhoto, strength: Double)
    }

    /// Changes the state, and says what is to be done.
    public mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .choose, .restore, .cancel, .close, .save, .share, .answer: notice = nil
        default: break
        }
        switch event {
        case .choose(let photo, let thenRestore):
            return giveUp(for: .opening(photo: photo)) { $0.open(photo, thenRestore: thenRestore) }
        case .restore: return restore()
        case .cancel: return cancel()
        case .close: return giveUp(for: .closing) { $0.dismiss() }
        case .save(let strength): return save(strength)
        case .share(let strength): return share(strength)
        case .answer(let giveUp): return answer(giveUp)
        case .found(let catalogue):
            self.catalogue = catalogue
            return startIfDue()
        case .opened(let photo): return opened(photo)
        case .notOpened(let notice):
            guard work == .opening else { return [] }  // cancelled meanwhile
            return fail(notice)
        case .progressed(let progress):
            // What comes late, after a cancellation or the end, changes nothing.
            if case .running(let photo, _, cancelling: false) = work { work = .running(photo, progress) }
            return []
        case .restored(let result): return restored(result)
        case .notRestored(let notice): return notRestored(notice)
        case .saved(let file, let notes): return saved(file, notes)
        case .notSaved(let file, let notice):
            guard work.result?.file == file else { return say(notice) }
            saving = .failed(notice)
            return []
        case .shared:
            isSharing = false
            return []
        case .notShared(let notice):
            isSharing = false
            return say(notice)
        case .say(let notice): return say(notice)
        case .measuring(let isMeasuring):
            self.isMeasuring = isMeasuring
            return []
        }
    }

    /// Does what gives the photo up: not while something runs, and not before the user agrees to lose an unsaved result.
    private mutating func giveUp(for reason: Question, _ next: (inout AppState) -> [Effect]) -> [Effect] {
        switch work {
        case .running: return say(.busyRestoring)
        case .opening: return say(.busyOpening)
        case .done(_, let result) where !result.saved:
            question = reason
            return []
        default: return next(&self)
        }
    }

    private mutating func open(_ photo: String, thenRestore: Bool = false) -> [Effect] {
        before = work
        startsWhenReady = thenRestore
        work = .opening
        saving = .not
        return [.open(photo)]
    }

    private mutating func opened(_ photo: PhotoInfo) -> [Effect] {
        guard work == .opening else { return [] }
        work = .ready(photo)
        return [.keep(Kept(photo: photo))] + startIfDue()
    }

    private mutating func startIfDue() -> [Effect] {
        guard startsWhenReady, case .ready = work, catalogue != nil else { return [] }
        startsWhenReady = false
        return restore()
    }

    private mutating func restore() -> [Effect] {
        if case .running = work { return say(.busyRestoring) }
        if isMeasuring { return say(.busyMeasuring) }
        guard let photo = work.photo else { return say(.chooseFirst) }
        guard let pair = catalogue?.pair else { return say(.nothingRuns) }
        if case .done = work { before = work } else { before = .ready(photo) }
        let earlier = work.result
        saving = .not
        work = .running(photo, nil)
        return [
            .keep(Kept(photo: photo, running: true, result: earlier)),
            .restore(photo, pair, halfSize: photo.onlyHalfSize),
        ]
    }

    private mutating func restored(_ result: RestoredPhoto) -> [Effect] {
        guard case .running(let photo, _, let cancelling) = work else { return [] }
        if cancelling { return notRestored(nil) }
        work = .done(photo, result)
        return [.keep(Kept(photo: photo, result: result))]
    }

    private mutating func notRestored(_ notice: Notice?) -> [Effect] {
        guard case .running(let photo, _, _) = work else { return [] }
        let keep = Effect.keep(Kept(photo: photo, result: before.result))
        guard let notice else {
            work = before
            return [keep]
        }
        return [keep] + fail(notice)
    }

    private mutating func cancel() -> [Effect] {
        startsWhenReady = false
        switch work {
        case .opening:
            work = before
            return [.cancelOpening]
        case .running(let photo, let progress, cancelling: false):
            work = .running(photo, progress, cancelling: true)
            return [.cancelRestoring]
        default: return []
        }
    }

    private mutating func dismiss() -> [Effect] {
        work = .idle
        saving = .not
        return [.keep(nil)]
    }

    private mutating func answer(_ giveUp: Bool) -> [Effect] {
        let asked = question
        question = nil
        guard giveUp, case .done = work else { return [] }
        switch asked {
        case .closing: return dismiss()
        case .opening(let photo): return open(photo)
        case nil: return []
        }
    }

    private mutating func save(_ strength: Double) -> [Effect] {
        guard case .done(let photo, let result) = work else { return say(.nothingToSave) }
        if saving == .now { return [] }
        saving = .now
        return [.save(photo, result, strength: min(max(strength, 0), 1))]
    }

    private mutating func share(_ strength: Double) -> [Effect] {
        guard case .done(let photo, let result) = work else { return say(.nothingToSave) }
        if isSharing { return [] }
        isSharing = true
        return [.share(photo, result, strength: strength)]
    }

    private mutating func saved(_ file: String, _ notes: [String]) -> [Effect] {
        if case .done(let photo, var result) = before, result.file == file {
            // What runs meanwhile may come to nothing; then this is shown again.
            result.saved = true
            before = .done(photo, result)
        }
        guard case .done(let photo, var result) = work, result.file == file else { return [] }
        saving = .done(notes: notes)
        result.saved = true
        work = .done(photo, result)
        return [.keep(Kept(photo: photo, result: result))]
    }

    /// A result, or a photo that another one should have followed, stays; else the failure is what is shown.
    private mutating func fail(_ notice: Notice) -> [Effect] {
        startsWhenReady = false
        switch before {
        case .done:
            work = before
            return say(notice)
        case .ready where work == .opening:
            work = before
            return say(notice)
        default:
            work = .failed(before.photo, notice)
            return []
        }
    }

    private mutating func say(_ notice: Notice) -> [Effect] {
        startsWhenReady = false
        self.notice = notice
        return []
    }
}

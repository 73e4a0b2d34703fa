/// How far a restoration is.
public struct RestoreProgress: Sendable, Equatable {
    /// Steps that are finished: the look at the whole photo, then its tiles.
    public let done: Int

    /// Steps in all, one more than there are tiles.
    public let total: Int

    /// An estimate; nil before there is something to go by.
    public let timeLeft: Duration?

    /// How much the photo needs to be restored; nil before that is known, and where it was not asked for.
    public let need: Need?

    public init(done: Int, total: Int, timeLeft: Duration? = nil, need: Need? = nil) {
        self.done = done
        self.total = total
        self.timeLeft = timeLeft
        self.need = need
    }

    /// Tiles that are finished; nil while the engine looks at the photo.
    public var tiles: Int? { done > 0 ? done - 1 : nil }
}

/// Estimates how long the rest takes from how long each tile took. Later tiles count more, as a phone slows down when
/// it gets warm; the look and the first tile, with which runtimes finish loading, count for nothing.
public struct TimeLeft: Sendable {
    private static let weight = 0.2

    /// The look and the first tile.
    private static let untimed = 2

    private var last: Duration?
    private var tile: Double?

    public init() {}

    /// Time left after `done` of `total` steps, at `now` of any clock; nil before there is something to go by.
    public mutating func after(_ done: Int, of total: Int, at now: Duration) -> Duration? {
        if let last, done > Self.untimed {
            let seconds = (now - last) / .seconds(1)
            tile = tile.map { $0 + Self.weight * (seconds - $0) } ?? seconds
        }
        last = now
        return tile.map { .seconds($0 * Double(total - done)) }
    }
}

/// Counts and times the steps of one restoration.
struct Steps {
    private let total: Int
    private let start = ContinuousClock.now
    private var done = 0
    private var left = TimeLeft()

    /// Told from the next step on.
    var need: Need?

    init(total: Int) { self.total = total }

    mutating func begin() -> RestoreProgress { told() }

    mutating func finish() -> RestoreProgress {
        done += 1
        return told()
    }

    private mutating func told() -> RestoreProgress {
        let left = left.after(done, of: total, at: ContinuousClock.now - start)
        return RestoreProgress(done: done, total: total, timeLeft: left, need: need)
    }
}

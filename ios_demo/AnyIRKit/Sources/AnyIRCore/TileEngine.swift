/// A loaded program: it looks once at a sheet of a photo's crops (``LookPlan``), and restores every tile with what it
/// found.
///
/// Images are 1x3xHxW floats (NCHW), RGB in 0..1. Engines are not Sendable; the actor that opened one owns it.
public protocol TileEngine: AnyObject {
    /// Side of sheets in pixels.
    var tile: Int { get }

    /// Of tiles, which need not be as large as sheets.
    var tileSize: TileSize { get }

    /// What runs, for people and for results.
    var facts: EngineFacts { get }

    /// How many values each of the program's statistics holds, in the program's order.
    var statisticSizes: [Int] { get }

    /// Looks at a photo, once.
    ///
    /// - Parameters:
    ///   - sheet: crops of the photo side by side; the photo itself where it fits into a tile
    ///   - statistics: receives what was found, NaN and infinity too
    /// - Throws: ``EngineError``
    func look(_ sheet: FloatBuffer, into statistics: Statistics) throws -> RunTiming

    /// Restores one tile.
    ///
    /// - Parameters:
    ///   - tile: of the photo
    ///   - statistics: of its photo, as ``look(_:into:)`` filled them
    ///   - output: receives the tile restored, not clamped
    /// - Throws: ``EngineError``
    func restore(_ tile: FloatBuffer, with statistics: Statistics, into output: FloatBuffer) throws -> RunTiming
}

extension TileEngine {
    /// Room for the statistics of one photo, for this program alone.
    public func newStatistics() -> Statistics { Statistics(of: self) }

    /// Statistics mean nothing to any other program, which would take them without a word.
    ///
    /// - Throws: ``EngineError``
    public func checkOwn(_ statistics: Statistics) throws {
        guard statistics.owner == ObjectIdentifier(self) else {
            throw EngineError("\(facts.name) was given the statistics of another program.")
        }
    }
}

/// An engine whose program takes and gives each entry's tensors in the manifest's order.
public protocol EntryEngine: TileEngine {
    /// Runs an entry once.
    ///
    /// - Parameters:
    ///   - inputs: the image, and for `restore` the statistics
    ///   - outputs: receive what it gives
    /// - Throws: ``EngineError``
    func run(_ entry: Manifest.EntryName, _ inputs: [FloatBuffer], into outputs: [FloatBuffer]) throws -> RunTiming
}

extension EntryEngine {
    public func look(_ sheet: FloatBuffer, into statistics: Statistics) throws -> RunTiming {
        try checkOwn(statistics)
        return try run(.look, [sheet], into: statistics.values)
    }

    public func restore(_ tile: FloatBuffer, with statistics: Statistics, into output: FloatBuffer) throws -> RunTiming
    {
        try checkOwn(statistics)
        return try run(.restore, [tile] + statistics.values, into: [output])
    }
}

/// Room for what a program finds out about one photo. What the values mean the program alone knows.
public final class Statistics {
    /// The loaded program, the only one that understands them.
    public let owner: ObjectIdentifier

    /// In the program's order.
    public let values: [FloatBuffer]

    init(of engine: any TileEngine) {
        owner = ObjectIdentifier(engine)
        values = engine.statisticSizes.map(FloatBuffer.init(count:))
    }

    /// Whether no value is NaN or infinity.
    public var isFinite: Bool { values.allSatisfy(\.isFinite) }
}

/// What runs.
public struct EngineFacts: Sendable, Equatable {
    /// The engine and the model, for people.
    public var name: String

    /// What runs, such as "ExecuTorch (XNNPACK)". What the runtime was asked for and does not tell whether it did is
    /// marked so: "LiteRT CPU (XNNPACK asked for)".
    public var accelerator: String

    /// CPU threads that the runtime was asked to take; nil where it was asked for none, as on a GPU.
    public var threads: Int?

    /// The runtime's version, where it tells.
    public var version: String?

    /// How much of each entry the accelerator takes; nil where the runtime does not tell.
    public var look: Operators?
    public var restore: Operators?

    public init(
        name: String, accelerator: String, threads: Int? = nil, version: String? = nil, look: Operators? = nil,
        restore: Operators? = nil
    ) {
        self.name = name
        self.accelerator = accelerator
        self.threads = threads
        self.version = version
        self.look = look
        self.restore = restore
    }
}

/// Where the time of one run went.
public struct RunTiming: Sendable, Equatable {
    /// Giving the inputs to the runtime.
    public var copyIn: Duration

    /// Computing.
    public var run: Duration

    /// Getting the outputs from the runtime.
    public var readBack: Duration

    public init(copyIn: Duration = .zero, run: Duration = .zero, readBack: Duration = .zero) {
        self.copyIn = copyIn
        self.run = run
        self.readBack = readBack
    }
}

/// Loads one engine; the actor that asks owns what it gets.
public protocol EngineOpener: Sendable {
    func open() async throws -> sending any TileEngine
}

/// A runtime that can load models, whether it is in this build or not.
public protocol EngineFactory: Sendable {
    /// Such as "coreml-ane", "executorch"; also an option of the benchmark.
    var id: String { get }

    /// For people.
    var label: String { get }

    /// Nil where it can be used; else why not, such as ``notInThisBuild``.
    var unavailable: String? { get }

    /// Whether it is made for this kind of model.
    func opens(_ manifest: Manifest) -> Bool

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - threads: CPU threads, at least 1
    ///   - both: keep both entries loaded, for looks and tiles in turn, as the benchmark does; else, where the runtime
    ///     can, one at a time, which takes less memory: an entry is then loaded by the first call that needs it, in that
    ///     call's time but in no ``RunTiming``
    /// - Throws: ``EngineError``: one of the entries cannot be loaded; nothing else is loaded instead
    func open(_ model: Model, threads: Int, both: Bool) async throws -> sending any TileEngine
}

extension EngineFactory {
    /// Loads a model for one photo after the other.
    public func open(_ model: Model, threads: Int) async throws -> sending any TileEngine {
        try await open(model, threads: threads, both: false)
    }

    /// One sentence that it cannot be used, and why; nil where it can.
    public var refusal: String? { unavailable.map { "\(label) cannot be used: \($0)." } }
}

/// What ``EngineFactory/unavailable`` says where a runtime was not linked.
public let notInThisBuild = "not in this build"

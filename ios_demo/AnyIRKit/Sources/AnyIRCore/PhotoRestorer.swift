/// Restores photos of any size: looks at the whole photo once, cuts it into overlapping tiles, runs an engine on each
/// with what the look found, and blends the results.
///
/// The actor opens the engine and owns it: all of its work happens here, off the main thread. Memory is taken for one
/// tile and for one row of tiles across the photo (13 bytes a pixel); alpha passes through. The same numbers as
/// Python's `Restorer`, operation by operation.
public actor PhotoRestorer {
    private let opener: any EngineOpener
    private let overlap: Int?
    private var engine: (any TileEngine)?
    private var isBusy = false

    /// - Parameters:
    ///   - opener: loads the engine, when it is first needed
    ///   - overlap: pixels that neighbouring tiles share, 0 to half a tile's shorter side; nil for the default
    public init(_ opener: some EngineOpener, overlap: Int? = nil) {
        self.opener = opener
        self.overlap = overlap
    }

    /// Restores with a model by an engine.
    ///
    /// - Parameter threads: CPU threads, at least 1
    public init(_ model: Model, with factory: any EngineFactory, threads: Int = 4, overlap: Int? = nil) {
        self.init(FactoryOpener(factory: factory, model: model, threads: threads), overlap: overlap)
    }

    /// Loads the engine where it is not loaded yet.
    ///
    /// - Returns: what runs
    /// - Throws: ``RestoreError/busy``, what opening the engine throws, CancellationError
    @discardableResult
    public func load() async throws -> EngineFacts {
        try begin()
        defer { isBusy = false }
        return try await loaded().facts
    }

    /// Gives the engine's memory back; the next restoration loads it again. Not while a photo is restored.
    public func unload() {
        if !isBusy { engine = nil }
    }

    /// Restores a photo. Cancelling the task ends it before the next crop of the look or the next tile.
    ///
    /// - Parameters:
    ///   - asksNeed: whether progress is to tell what the photo needs: with the look, before its first tile, for which the
    ///     sheet is restored, one tile's work more; of a photo of one tile, which is its own sheet, with that tile, for
    ///     nothing
    ///   - progress: called at the beginning and after every step, on this actor's thread
    /// - Returns: what ran
    /// - Throws: CancellationError, ``RestoreError``, ``EngineError``, and what the source and the sink throw
    @discardableResult
    public func restore(
        _ source: some PhotoSource, into sink: some PhotoSink, asksNeed: Bool = false,
        progress: @Sendable (RestoreProgress) -> Void = { _ in }
    ) async throws -> EngineFacts {
        try begin()
        defer { isBusy = false }
        let engine = try await loaded()
        do {
            try await restore(source, into: sink, by: engine, asksNeed: asksNeed, progress: progress)
        } catch let error as EngineError {
            self.engine = nil  // it may not recover; a fresh one is loaded next time
            throw error
        }
        return engine.facts
    }

    private func restore(
        _ source: some PhotoSource, into sink: some PhotoSink, by engine: any TileEngine,
        asksNeed: Bool, progress: @Sendable (RestoreProgress) -> Void
    ) async throws {
        let size = engine.tileSize
        let overlap = overlap ?? TilePlan.defaultOverlap(tile: size)
        guard 0...size.shorter / 2 ~= overlap else { throw RestoreError.overlap(overlap, tile: size.shorter) }
        let plan = TilePlan(width: source.width, height: source.height, tile: size, overlap: overlap)
        let tiles = TileBuffers(engine: engine, photoWidth: source.width, photoHeight: source.height)
        let tileIsSheet = plan.count == 1 && tiles.areSheets
        let band = Band(width: plan.width, height: tiles.height, isGrey: source.isGrey)
        var steps = Steps(total: 1 + plan.count)
        progress(steps.begin())
        try tiles.look(at: source)
        if asksNeed, !tileIsSheet {
            await Task.yield()
            try Task.checkCancellation()
            steps.need = try tiles.needOfSheet()
        }
        progress(steps.finish())
        for (j, y) in plan.rows.enumerated() {
            for (i, x) in plan.columns.enumerated() {
                await Task.yield()  // lets others be told that this actor is busy
                try Task.checkCancellation()
                try tiles.restore(source, x: x, y: y)
                if asksNeed, tileIsSheet { steps.need = tiles.needOfTile() }
                band.add(tiles, x: x, columnWeights: plan.columnWeights[i], rowWeights: plan.rowWeights[j])
                progress(steps.finish())
            }
            let rows = (j + 1 < plan.rows.count ? plan.rows[j + 1] : plan.height) - y
            try band.write(rows: rows, firstRow: y, into: sink)
            band.moveUp(rows: rows)
        }
    }

    private func begin() throws {
        guard !isBusy else { throw RestoreError.busy }
        isBusy = true
    }

    private func loaded() async throws -> any TileEngine {
        if let engine { return engine }
        let opened = try await opener.open()
        try Task.checkCancellation()
        engine = opened
        return opened
    }
}

private struct FactoryOpener: EngineOpener {
    let factory: any EngineFactory
    let model: Model
    let threads: Int

    func open() async throws -> sending any TileEngine { try await factory.open(model, threads: threads) }
}

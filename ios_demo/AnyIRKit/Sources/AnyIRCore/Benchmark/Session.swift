/// One program of a benchmark, from loading to the comparison.
final class Session {
    private struct Sample {
        let ms: Double
        let timing: RunTiming
    }

    private let tiles: ReferenceTiles
    private let device: any Device
    private let input: FloatBuffer
    private let output: FloatBuffer
    private var engine: (any TileEngine)?
    private var statistics: Statistics?
    private let memoryBefore: Int?
    private var memory: (peak: Int?, now: Int?)
    private var load: (first: Double, again: Double) = (0, 0)
    private var firstRun: (look: Double, restore: Double) = (0, 0)
    private var samples: [Sample] = []
    private var looks: [Sample] = []
    private var comparison = Comparison()

    init(tiles: ReferenceTiles, device: any Device) {
        self.tiles = tiles
        self.device = device
        memoryBefore = device.memory()
        input = FloatBuffer(count: 3 * tiles.tile * tiles.tile)
        output = FloatBuffer(count: 3 * tiles.tile * tiles.tile)
    }

    /// The program was loaded for the first time: runs both entries once. It is given up then.
    func loaded(_ first: any TileEngine, took milliseconds: Double) throws {
        load.first = milliseconds
        if let misfit = tiles.misfit(tile: first.tile, tileSize: first.tileSize) { throw EngineError(misfit) }
        tiles.input(0, into: input)
        take(first)
        firstRun.look = try look().ms
        firstRun.restore = try restore().ms
        engine = nil
        statistics = nil
    }

    /// It was loaded for the second time, and stays.
    func loadedAgain(_ second: any TileEngine, took milliseconds: Double) throws {
        load.again = milliseconds
        take(second)
        _ = try look()
    }

    private func take(_ opened: any TileEngine) {
        engine = opened
        statistics = opened.newStatistics()
    }

    /// One timed run of each entry, from input arrays to output arrays. The tile comes first, with the statistics of the
    /// round before: in a photo, tiles follow tiles.
    func run(_ round: Int, counts: Bool) throws {
        tiles.input(round % tiles.cases.count, into: input)
        let (restored, looked) = (try restore(), try look())
        if counts {
            samples.append(restored)
            looks.append(looked)
        }
    }

    /// Restores the last tile, timed, in milliseconds.
    func restoreOnce() throws -> Double { try restore().ms }

    /// The memory taken by now, then every tile, with its own statistics, against the reference.
    func compare() throws {
        memory = (device.peakMemory(), device.memory())
        let expected = FloatBuffer(count: output.count)
        let truth = FloatBuffer(count: output.count)
        for (index, one) in tiles.cases.enumerated() {
            try Task.checkCancellation()
            tiles.input(index, into: input)
            _ = try look()
            guard statistics?.isFinite == true else {
                throw EngineError("It looks at \(one.kind) and returns NaN or infinity.")
            }
            _ = try restore()
            try tiles.output(index, into: expected)
            tiles.truth(index, into: truth)
            try comparison.add(one.kind, made: output, expected: expected, truth: truth)
        }
    }

    /// Puts all that was measured into a row.
    func fill(_ row: inout Results.Row, warmups: Int) {
        guard let facts = engine?.facts else { return }
        row.runtimeVersion = facts.version
        row.accelerator = facts.accelerator
        row.threads = facts.threads
        row.loadMs = load.first
        row.loadAgainMs = load.again
        row.firstRunMs = firstRun.restore
        row.latency = latency(of: samples, warmups)
        row.look = Results.Look(firstRunMs: firstRun.look, latency: latency(of: looks, warmups))
        row.tell(look: facts.look, restore: facts.restore)
        if let peak = memory.peak, let before = memoryBefore { row.peakMemoryBytes = max(0, peak - before) }
        row.pssBytes = memory.now
        row.outputSha256 = comparison.outputSha256()
        row.quality = comparison.quality()
    }

    private func latency(of samples: [Sample], _ warmups: Int) -> Results.Latency {
        let times = samples.map(\.ms)
        return Results.Latency(
            warmups: warmups, n: times.count, p50Ms: rounded(percentile(times, 50)),
            p90Ms: rounded(percentile(times, 90)), p99Ms: rounded(percentile(times, 99)), samplesMs: times,
            split: Results.Split(
                copyInMs: samples.map { milliseconds($0.timing.copyIn) },
                runMs: samples.map { milliseconds($0.timing.run) },
                readBackMs: samples.map { milliseconds($0.timing.readBack) }))
    }

    private func look() throws -> Sample {
        try timed("look") { engine, statistics in try engine.look(input, into: statistics) }
    }

    private func restore() throws -> Sample {
        try timed("restore") { engine, statistics in
            try engine.restore(input, with: statistics, into: output)
        }
    }

    private func timed(_ interval: String, _ run: (any TileEngine, Statistics) throws -> RunTiming) throws -> Sample {
        guard let engine, let statistics else { throw EngineError("Nothing is loaded.") }
        device.mark(interval, begins: true)
        defer { device.mark(interval, begins: false) }
        let start = ContinuousClock.now
        let timing = try run(engine, statistics)
        return Sample(ms: milliseconds(ContinuousClock.now - start), timing: timing)
    }

}

func milliseconds(_ duration: Duration) -> Double { rounded(duration / .milliseconds(1)) }

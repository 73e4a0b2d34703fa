import Foundation

/// The device: what it is, and how it is now. Also where the app marks intervals for Instruments.
public protocol Device: Sendable {
    /// The entry `environment` of a results file.
    func environment() async -> Results.Environment

    /// An entry `before` or `after` of a row's conditions.
    func reading() async -> Results.Reading

    /// Memory of the process now, in bytes (on Apple's systems `phys_footprint`); nil where it cannot be read.
    func memory() -> Int?

    /// The most memory that the process has had so far; nil where it cannot be read.
    func peakMemory() -> Int?

    /// An interval of a program begins or ends, such as "load" or "run": for signposts.
    func mark(_ interval: String, begins: Bool)
}

extension Device {
    public func mark(_ interval: String, begins: Bool) {}
}

/// What a benchmark is at: before each step.
public struct BenchmarkProgress: Sendable, Equatable {
    public let done: Int
    public let total: Int
    public let what: String
}

/// Measures programs by engines, ``together`` of them at a time, which run in turn, each round starting with another one:
/// so what slows the device for a while falls on all of them alike. One that fails is a row with its reason, and the
/// others go on. Where the app ended, the same benchmark goes on when it is started again: those that ran then run alone,
/// and one that ends the app alone is a row.
public actor Benchmark {
    /// How many programs are loaded at the same time.
    static let together = 4

    private let plan: BenchmarkPlan
    private let tiles: ReferenceTiles
    private let device: any Device
    private let journal: Journal?
    private let threads: Int
    private let progress: @Sendable (BenchmarkProgress) -> Void
    private var done = 0
    private var total = 0

    /// - Parameters:
    ///   - journal: a file in which it is noted what runs, so that a crash becomes a row; nil: none
    ///   - threads: CPU threads of engines that take any
    ///   - progress: called before each step
    public init(
        _ plan: BenchmarkPlan, tiles: ReferenceTiles, device: any Device, journal: URL? = nil, threads: Int = 4,
        progress: @escaping @Sendable (BenchmarkProgress) -> Void = { _ in }
    ) {
        self.plan = plan
        self.tiles = tiles
        self.device = device
        self.journal = journal.map { Journal(url: $0) }
        self.threads = threads
        self.progress = progress
    }

    /// One row for every target, in their order.
    ///
    /// - Throws: CancellationError between two steps: nothing of it is kept
    public func measure(_ targets: [Target]) async throws -> Results {
        let environment = await device.environment()
        var noted = journal?.load(plan, on: environment) ?? Journal.Content(plan: plan, environment: environment)
        // A model that was replaced meanwhile is measured anew.
        noted.rows = noted.rows.filter { label, row in
            targets.contains { $0.label == label && $0.sha256 == row.artifact?.sha256 }
        }
        if let label = noted.running.first, noted.running.count == 1 {
            for target in targets where target.label == label {
                noted.rows[label] = row(target, environment, error: "The app ended while this was measured.")
            }
        }
        noted.alone.formUnion(noted.running)
        for target in targets where noted.rows[target.label] == nil {
            if let error = target.error { noted.rows[target.label] = row(target, environment, error: error) }
        }
        let due = targets.filter { noted.rows[$0.label] == nil }
        done = 0
        total = due.count * (plan.warmups + plan.runs + 2)
        for group in groups(of: due, alone: noted.alone) {
            noted.running = group.map(\.label)
            try journal?.write(noted)
            do {
                noted.rows.merge(try await measure(group, environment)) { _, new in new }
            } catch is CancellationError {
                journal?.remove()
                throw CancellationError()
            }
            noted.running = []
            try journal?.write(noted)
        }
        journal?.remove()
        let rows = targets.compactMap { noted.rows[$0.label] }
        return Results(environment: noted.environment, reference: tiles.summary, rows: rows)
    }

    private func groups(of targets: [Target], alone: Set<String>) -> [[Target]] {
        let others = targets.filter { !alone.contains($0.label) }
        let chunks = stride(from: 0, to: others.count, by: Self.together).map {
            Array(others[$0..<min($0 + Self.together, others.count)])
        }
        return chunks + targets.filter { alone.contains($0.label) }.map { [$0] }
    }

    /// - Returns: a row for each
    /// - Throws: CancellationError
    private func measure(_ group: [Target], _ environment: Results.Environment) async throws -> [String: Results.Row] {
        let entries = group.map { Measured($0, tiles: tiles, device: device) }
        for entry in entries {
            try step("load \(entry.target.label)")
            entry.before = await device.reading()
            do { try await load(entry) } catch { try entry.fail(error) }
        }
        for round in 0..<plan.warmups + plan.runs {
            for place in entries.indices {
                let entry = entries[(round + place) % entries.count]
                try step("run \(round + 1) of \(entry.target.label)")
                await Task.yield()
                do { try entry.session?.run(round, counts: round >= plan.warmups) } catch { try entry.fail(error) }
            }
        }
        var rows: [String: Results.Row] = [:]
        for entry in entries {
            var sustained: Results.Sustained?
            do { sustained = try await sustain(entry) } catch { try entry.fail(error) }
            let after = await device.reading()
            try step("compare \(entry.target.label)")
            do { try entry.session?.compare() } catch { try entry.fail(error) }
            var row = row(entry.target, environment, error: entry.error)
            if let session = entry.session, let before = entry.before {
                session.fill(&row, warmups: plan.warmups)
                row.conditions = Results.Conditions(before: before, after: after)
                row.sustained = sustained
            }
            rows[entry.target.label] = row
            entry.session = nil
        }
        return rows
    }

    private func load(_ entry: Measured) async throws {
        guard let session = entry.session, let model = entry.target.model, let engine = entry.target.engine else {
            throw EngineError("There is no program.")
        }
        do {
            let (first, took) = try await open(model, by: engine, "load")
            try session.loaded(first, took: took)
        }
        let (second, took) = try await open(model, by: engine, "load again")
        try session.loadedAgain(second, took: took)
    }

    private func open(
        _ model: Model, by factory: any EngineFactory, _ interval: String
    ) async throws -> (any TileEngine, Double) {
        device.mark(interval, begins: true)
        defer { device.mark(interval, begins: false) }
        let start = ContinuousClock.now
        let engine = try await factory.open(model, threads: threads, both: true)
        return (engine, milliseconds(ContinuousClock.now - start))
    }

    /// In stretches of a second, so that the device's state can be read between them.
    private func sustain(_ entry: Measured) async throws -> Results.Sustained? {
        guard let session = entry.session, plan.sustainSeconds > 0 else { return nil }
        var runs: [Results.SustainedRun] = []
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(plan.sustainSeconds) {
            try Task.checkCancellation()
            await Task.yield()
            let status = await device.reading().thermalStatus
            let stretch = ContinuousClock.now
            var isFirst = true
            repeat {
                let time = try session.restoreOnce()
                runs.append(
                    Results.SustainedRun(
                        atS: rounded((ContinuousClock.now - start) / .seconds(1)), ms: time,
                        thermalStatus: isFirst ? status : nil, thermalHeadroom: nil))
                isFirst = false
            } while ContinuousClock.now - stretch < .seconds(1)
        }
        return Results.Sustained(seconds: plan.sustainSeconds, runs: runs)
    }

    private func step(_ what: String) throws {
        try Task.checkCancellation()
        progress(BenchmarkProgress(done: done, total: total, what: what))
        done += 1
    }

    /// What is known of a target without running it.
    private func row(_ target: Target, _ environment: Results.Environment, error: String?) -> Results.Row {
        let manifest = target.model?.manifest
        let status: Results.Status = error == nil ? .ok : target.isUnsupported ? .unsupported : .failed
        let artifact = target.model.map {
            Results.Artifact(
                name: $0.url.lastPathComponent, sha256: target.sha256 ?? "", bytes: $0.manifest.bytes)
        }
        return Results.Row(
            status: status, error: error, name: target.name, engine: target.engine?.id, artifact: artifact,
            preset: manifest?.source.preset, runtime: target.runtime, backend: manifest?.backend ?? "unknown",
            precision: manifest?.precision ?? "unknown", tile: manifest?.tile,
            restoreSize: manifest?.restoreSize.map { Results.RestoreSize(height: $0.height, width: $0.width) },
            device: environment.device,
            os: environment.os, quality: [:])
    }
}

/// One program of a group while it is measured.
private final class Measured {
    let target: Target
    var before: Results.Reading?

    /// Nil from its first fault on: its memory is given back.
    var session: Session?
    private(set) var error: String?

    init(_ target: Target, tiles: ReferenceTiles, device: any Device) {
        self.target = target
        session = Session(tiles: tiles, device: device)
    }

    /// Notes what went wrong.
    ///
    /// - Throws: the error, if it is a CancellationError
    func fail(_ error: any Error) throws {
        if error is CancellationError { throw error }
        self.error = sentence(of: error)
        session = nil
    }
}

/// Rounded to a microsecond or a millisecond, as results have it.
func rounded(_ value: Double) -> Double { (max(0, value) * 1e3).rounded() / 1e3 }

/// What survives a crash: which programs run, and the rows before them.
private struct Journal {
    struct Content: Codable {
        var plan: BenchmarkPlan

        /// As it was when the benchmark began.
        var environment: Results.Environment

        /// What was loaded when this was written.
        var running: [String] = []

        /// What was loaded when the app ended.
        var alone: Set<String> = []
        var rows: [String: Results.Row] = [:]
    }

    /// Who goes on after a crash does so at once; later, the device may be another place.
    private static let seconds: TimeInterval = 3600

    let url: URL

    /// What an earlier process noted of the same plan, on the same system, not long ago.
    func load(_ plan: BenchmarkPlan, on environment: Results.Environment) -> Content? {
        let facts = try? FileManager.default.attributesOfItem(atPath: url.path)
        guard let written = facts?[.modificationDate] as? Date, -written.timeIntervalSinceNow < Self.seconds,
            let data = try? Data(contentsOf: url),
            let content = try? Results.decoder.decode(Content.self, from: data), content.plan == plan
        else { return nil }
        var before = content.environment
        before.created = environment.created
        return before == environment ? content : nil
    }

    func write(_ content: Content) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Results.encoder.encode(content).write(to: url, options: .atomic)
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}

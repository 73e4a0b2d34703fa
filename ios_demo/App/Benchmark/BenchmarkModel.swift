import AnyIRApple
import AnyIRCore
import AnyIRState
import Foundation
import Observation
import UIKit

/// A benchmark on this device, started on its screen or by launch arguments.
@MainActor
@Observable
final class BenchmarkModel {
    enum State {
        case idle
        case running(BenchmarkProgress?)
        case written(URL, Results)

        /// With one sentence.
        case failed(String)
    }

    private(set) var state = State.idle

    @ObservationIgnored private let services: Services
    @ObservationIgnored private let device: any Device

    /// Folders with reference tiles; the first that has any counts.
    @ObservationIgnored private let references: [URL]
    @ObservationIgnored private let results: URL
    @ObservationIgnored private var measuring: Task<Void, Never>?

    /// Why it was ended.
    @ObservationIgnored private var endedBy = Words.benchmarkStopped

    /// - Parameter results: folder for results files
    init(_ services: Services, device: any Device, references: [URL], results: URL) {
        self.services = services
        self.device = device
        self.references = references
        self.results = results
    }

    var isRunning: Bool { if case .running = state { true } else { false } }

    /// Measures, unless that is being done already or a photo is being restored.
    ///
    /// - Parameter say: given a line for every step; the last begins with "done:" or "failed:"
    func start(_ plan: BenchmarkPlan, app: AppModel, say: @escaping @MainActor (String) -> Void = { _ in }) {
        if isRunning { return say("failed: \(Words.benchmarkBusy)") }
        if case .running = app.state.work {
            state = .failed(Words.benchmarkRestoring)
            return say("failed: \(Words.benchmarkRestoring)")
        }
        state = .running(nil)
        endedBy = Words.benchmarkStopped
        app.send(.measuring(true))
        UIApplication.shared.isIdleTimerDisabled = true
        measuring = Task {
            do {
                let (url, results) = try await measure(plan, say: say)
                state = .written(url, results)
                await app.findModels()
                say("done: \(url.path)")
            } catch {
                let why = error is CancellationError ? endedBy : fault(error)
                state = .failed(why)
                say("failed: \(why)")
            }
            UIApplication.shared.isIdleTimerDisabled = false
            app.send(.measuring(false))
        }
    }

    func stop() { measuring?.cancel() }

    /// Its screen was left: the system gives a program in the background less time.
    func leaves() {
        guard isRunning else { return }
        endedBy = Words.benchmarkLeft
        measuring?.cancel()
    }

    private func measure(
        _ plan: BenchmarkPlan, say: @escaping @MainActor (String) -> Void
    ) async throws -> (URL, Results) {
        let (store, engines) = (services.models, services.engines)
        let place = references.first {
            FileManager.default.fileExists(atPath: $0.appendingPathComponent("reference.json").path)
        }
        guard let place = place ?? references.last else { throw PlanError(Words.benchmarkNoTiles) }
        let (tiles, targets) = try await Task.detached {
            let tiles = try ReferenceTiles(folder: place)
            return (tiles, try chooseTargets(plan, entries: store.list(), engines: engines, tiles: tiles))
        }.value
        let journal = results.appendingPathComponent(".running.json")
        let benchmark = Benchmark(
            plan, tiles: tiles, device: device, journal: journal, threads: Restoration.threads
        ) { progress in
            Task { @MainActor [weak self] in self?.progressed(progress, say: say) }
        }
        var measured = try await benchmark.measure(targets)
        await addPlacements(to: &measured, targets)
        let url = results.appendingPathComponent(plan.out)
        try measured.write(to: url)
        remember(measured, targets)
        return (url, measured)
    }

    private func progressed(_ progress: BenchmarkProgress, say: @MainActor (String) -> Void) {
        guard isRunning else { return }
        state = .running(progress)
        say("\(progress.done) of \(progress.total): \(progress.what)")
    }

    /// Core ML tells where operations run by a plan of its own, asked for after all was timed.
    private func addPlacements(to results: inout Results, _ targets: [Target]) async {
        for index in results.rows.indices where results.rows[index].status == .ok {
            let row = results.rows[index]
            guard let target = row.target(among: targets), let model = target.model,
                let factory = target.engine as? CoreMLFactory,
                let placement = try? await factory.placement(of: model)
            else { continue }
            results.rows[index].accelerator = "\(row.accelerator ?? factory.label); planned: \(placement.restore.text)"
            results.rows[index].tell(look: placement.look.operators, restore: placement.restore.operators)
        }
    }

    private func remember(_ results: Results, _ targets: [Target]) {
        for row in results.rows {
            guard let target = row.target(among: targets), let model = target.model, let engine = target.engine,
                let latency = row.latency
            else { continue }
            services.settings.remember(
                Speed(seconds: latency.p50Ms / 1000, benchmarked: true),
                of: Choice(model: model, engine: engine))
        }
    }

    private func fault(_ error: any Error) -> String {
        isNoSpace(error) ? Words.benchmarkNoSpace : sentence(of: error)
    }
}

extension Results.Row {
    /// What the row is of.
    fileprivate func target(among targets: [Target]) -> Target? {
        targets.first { $0.name == name && $0.engine?.id == engine }
    }
}

/// A benchmark by launch arguments: it runs, writes its results, and says so on standard output.
@MainActor
enum Headless {
    /// - Parameter say: given every line
    /// - Returns: the exit code with which the app is to end; nil where no benchmark was asked for
    static func run(
        arguments: [String], _ benchmark: BenchmarkModel, app: AppModel,
        say: @escaping @MainActor (String) -> Void = print
    ) async -> Int32? {
        do {
            guard let plan = try BenchmarkPlan.parse(arguments: arguments) else { return nil }
            return await withCheckedContinuation { continuation in
                benchmark.start(plan, app: app) { line in
                    say(line)
                    if line.hasPrefix("done:") { continuation.resume(returning: 0) }
                    if line.hasPrefix("failed:") { continuation.resume(returning: 1) }
                }
            }
        } catch {
            say("failed: \(sentence(of: error))")
            return 2
        }
    }

    /// At once: standard output to a computer is buffered otherwise.
    private static func print(_ line: String) { FileHandle.standardOutput.write(Data("AnyIR: \(line)\n".utf8)) }
}

import AnyIRCore
import SwiftUI

/// Measures this device: three benchmarks to choose from, how far it is, and what came of it.
struct BenchmarkView: View {
    let app: AppModel
    let benchmark: BenchmarkModel

    var body: some View {
        List {
            switch benchmark.state {
            case .running(let progress):
                Section {
                    if let progress {
                        ProgressView(value: Double(progress.done), total: Double(max(1, progress.total)))
                        Text(progress.what)
                    } else {
                        ProgressView()
                    }
                    Button(Words.benchmarkStop, role: .cancel) { benchmark.stop() }
                }
            case .idle: choices
            case .failed(let sentence):
                Problem(text: sentence)
                choices
            case .written(let url, let results):
                Section { Text(Words.benchmarkWritten(url.lastPathComponent)) }
                ForEach(results.rows.indices, id: \.self) { BenchmarkRow(row: results.rows[$0]) }
                choices
            }
        }
        .navigationTitle(Words.benchmarkTitle)
        .onDisappear { benchmark.leaves() }
    }

    @ViewBuilder private var choices: some View {
        Section {
            Text(Words.benchmarkExplained)
            choice("quick", Words.benchmarkQuick, BenchmarkPlan(runs: 10, warmups: 3))
            choice("thorough", Words.benchmarkThorough, BenchmarkPlan(runs: 50))
            choice("sustained", Words.benchmarkSustained, BenchmarkPlan(sustainSeconds: 300))
        }
    }

    /// Every benchmark has a file of its own, named after its kind and when it began.
    private func choice(_ kind: String, _ title: String, _ plan: BenchmarkPlan) -> some View {
        Button(title) {
            var plan = plan
            let time = Date().formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
            plan.out = "\(kind)-\(time.filter { $0.isNumber || $0 == "T" }).json"
            benchmark.start(plan, app: app)
        }
    }
}

/// One program by one engine.
struct BenchmarkRow: View {
    let row: Results.Row

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text([row.name, row.engine].compactMap(\.self).joined(separator: ", ")).font(.headline)
            Text(row.error ?? figures).font(.footnote)
        }
    }

    private var figures: String {
        let worst = row.quality.values.compactMap(\.psnrReference).min()
        let lines: [String?] = [
            row.latency.map { Words.benchmarkLatency($0.p50Ms, $0.p90Ms) },
            row.look.map { Words.benchmarkLook($0.latency.p50Ms) }, row.accelerator,
            row.peakMemoryBytes.map { Words.benchmarkMemory($0) },
            worst.map(Words.benchmarkExact) ?? Words.benchmarkIdentical,
        ]
        return lines.compactMap(\.self).joined(separator: "\n")
    }
}

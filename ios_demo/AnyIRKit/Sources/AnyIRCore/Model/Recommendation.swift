/// A model, and the engine that runs it.
public struct Choice: Sendable {
    public let model: Model
    public let engine: any EngineFactory

    public init(model: Model, engine: any EngineFactory) {
        self.model = model
        self.engine = engine
    }

    /// Unique among the models and engines of an app.
    public var id: String { "\(model.manifest.name)@\(engine.id)" }
}

/// Every pair that can run here, in the order of the models, then of the engines.
public func choices(models: [Model], engines: [any EngineFactory]) -> [Choice] {
    let usable = engines.filter { $0.unavailable == nil }
    return models.flatMap { model in
        usable.filter { $0.opens(model.manifest) }.map { Choice(model: model, engine: $0) }
    }
}

/// The pair to begin with; nil where nothing can run.
///
/// Among the models that lost little when they were converted (at most 0.2 dB of PSNR on average, as far as their
/// manifests say), the fastest that was measured on this device, by time for a pixel. Where nothing was measured: the
/// first engine that opens each model, and of the models the one whose results were best; then the larger tile, then
/// the higher precision, then the first.
///
/// - Parameter milliseconds: measured time a tile on this device, or nil
public func recommended(
    models: [Model], engines: [any EngineFactory], milliseconds: (Choice) -> Double? = { _ in nil }
) -> Choice? {
    let all = choices(models: models, engines: engines)
    let little = all.filter { loss(of: $0.model.manifest) <= maxLoss }
    let exact = little.isEmpty ? all : little
    let timed = exact.compactMap { choice in milliseconds(choice).map { (choice, $0) } }
    let fastest = timed.min { a, b in a.1 / pixels(a.0) < b.1 / pixels(b.0) }
    if let fastest { return fastest.0 }
    var best: (choice: Choice, rank: [Double])?
    for choice in exact {
        let manifest = choice.model.manifest
        let rank = [quality(of: manifest), pixels(choice), Double(precisionRank(manifest.precision))]
        if let found = best, !found.rank.lexicographicallyPrecedes(rank) { continue }
        best = (choice, rank)
    }
    return best?.choice
}

private let maxLoss = 0.2

private func pixels(_ choice: Choice) -> Double {
    Double(choice.model.manifest.tileSize.pixels)
}

/// In dB: how far the artifact's results are behind the network's, on average; 0 where nothing was measured.
private func loss(of manifest: Manifest) -> Double { mean(manifest.parity.degradations.map(\.loss)) }

/// In dB, rounded to tenths: smaller differences decide nothing, nor does what a conversion won by chance.
private func quality(of manifest: Manifest) -> Double {
    (mean(manifest.parity.degradations.map { $0.artifactPSNR + min($0.loss, 0) }) * 10).rounded()
}

private func precisionRank(_ precision: String) -> Int {
    ["fp32": 2, "fp16": 1][precision] ?? 0
}

private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}

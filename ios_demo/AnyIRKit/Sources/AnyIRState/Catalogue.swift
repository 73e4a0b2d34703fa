import AnyIRCore

/// A model's name and an engine's id: what was chosen, or measured.
public struct Pair: Sendable, Hashable, Codable {
    public var model: String
    public var engine: String

    public init(model: String, engine: String) {
        self.model = model
        self.engine = engine
    }
}

/// How fast a pair was on this device: seconds a tile. Benchmarked, or else from a restoration, with loading the model
/// and reading and writing the photo.
public struct Speed: Sendable, Equatable, Codable {
    public var seconds: Double
    public var benchmarked: Bool

    public init(seconds: Double, benchmarked: Bool) {
        self.seconds = seconds
        self.benchmarked = benchmarked
    }
}

/// A model that can be read.
public struct ModelRow: Sendable, Equatable, Identifiable {
    public var id: String { name }
    public let name: String
    public let preset: String
    public let precision: String
    public let tile: TileSize
    public let bytes: Int

    /// The model with the engine that would run it; nil where none here can.
    public let pair: Pair?
    public let isRecommended: Bool
    public let isChosen: Bool

    /// Of ``pair``; nil: not measured.
    public let speed: Speed?
}

/// Why an engine cannot be chosen.
public enum Obstacle: Sendable, Equatable {
    case unavailable(String)
    /// It runs, but not models of this kind.
    case otherModels
}

/// An engine, for the chosen model. With an obstacle it is shown but cannot be chosen.
public struct EngineRow: Sendable, Equatable, Identifiable {
    public let id: String
    public let label: String
    public let obstacle: Obstacle?
    public let isChosen: Bool
    public let speed: Speed?
}

/// A model that cannot be used, and why in one sentence.
public struct RefusedRow: Sendable, Equatable, Identifiable {
    public var id: String { name + reason }
    public let name: String
    public let reason: String
}

/// The models and engines on this device, as the list of models shows them.
public struct Catalogue: Sendable, Equatable {
    public let models: [ModelRow]
    public let refused: [RefusedRow]
    public let engines: [EngineRow]

    /// What the next restoration uses; nil where nothing can run.
    public let pair: Pair?

    /// Arranges what was found: what was chosen stays chosen where it still runs, else the recommended pair is.
    ///
    /// - Parameter speed: measured on this device, or nil. Only the benchmark's figures can be compared, and so recommend.
    public init(
        entries: [ModelEntry], engines: [any EngineFactory], chosen: Pair? = nil,
        speed: (Choice) -> Speed? = { _ in nil }
    ) {
        let models = entries.compactMap(\.model)
        func benchmarked(_ choice: Choice) -> Double? {
            speed(choice).flatMap { $0.benchmarked ? 1000 * $0.seconds : nil }
        }
        let best = recommended(models: models, engines: engines, milliseconds: benchmarked)
        // The chosen model with the chosen engine, or with the best other one; the model may be gone.
        let named = models.filter { $0.manifest.name == chosen?.model }
        let kept =
            choices(models: named, engines: engines).first { $0.engine.id == chosen?.engine }
            ?? recommended(models: named, engines: engines, milliseconds: benchmarked)
        let choice = kept ?? best
        pair = choice?.pair
        self.models = models.map { model in
            let name = model.manifest.name
            let own =
                [choice, best].compactMap(\.self).first { $0.model.manifest.name == name }
                ?? recommended(models: [model], engines: engines, milliseconds: benchmarked)
            return ModelRow(
                name: name, preset: model.manifest.source.preset, precision: model.manifest.precision,
                tile: model.manifest.tileSize, bytes: model.manifest.bytes, pair: own?.pair,
                isRecommended: name == best?.model.manifest.name, isChosen: name == choice?.model.manifest.name,
                speed: own.flatMap(speed))
        }
        self.engines = engines.map { engine in
            let obstacle: Obstacle? =
                if let reason = engine.unavailable {
                    .unavailable(reason)
                } else if let choice, !engine.opens(choice.model.manifest) {
                    .otherModels
                } else {
                    nil
                }
            return EngineRow(
                id: engine.id, label: engine.label, obstacle: obstacle, isChosen: engine.id == choice?.engine.id,
                speed: choice.flatMap { speed(Choice(model: $0.model, engine: engine)) })
        }
        refused = entries.compactMap { entry in
            guard case .refused(_, let reason) = entry else { return nil }
            return RefusedRow(name: entry.name, reason: reason)
        }
    }
}

extension Choice {
    public var pair: Pair { Pair(model: model.manifest.name, engine: engine.id) }
}

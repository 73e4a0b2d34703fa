/// The JSON file beside every artifact: what it is, where it comes from and how exact it is.
///
/// conversion/manifest.schema.json is its published schema; ``parse(_:)`` takes what the schema takes, and nothing else.
public struct Manifest: Sendable, Equatable {
    /// The schema that this code reads.
    public static let schemaVersion = 2

    public var name: String
    public var file: String
    public var sha256: String
    public var bytes: Int
    public var source: Source
    public var runtime: Runtime
    public var backend: String
    public var precision: String

    /// The least system version, where the format fixes one.
    public var target: String?

    /// Height and width of the sheet in pixels; of the tile, too, where there is no ``restoreSize``.
    public var tile: Int
    public var entries: Entries
    public var quantization: Quantization?
    public var parity: Parity
    public var versions: [String: String]
    public var codeSha256: String
    public var seconds: Double

    /// The oldest runtime that was seen to run it; nil: none was tried.
    public var oldestRuntime: String?

    /// Of the tiles, where they are not as large as the sheet.
    public var restoreSize: TileSize?

    /// Of tiles that `restore` takes besides, each with how exact it is; nil: there are none.
    public var otherSizes: [OtherSize]?

    /// Of the tiles that `restore` takes, and this app gives it.
    public var tileSize: TileSize { restoreSize ?? TileSize(side: tile) }

    public enum Runtime: String, Sendable, CaseIterable {
        case executorch, litert, coreml, coreai

        /// By the suffix of its artifacts.
        static let ofSuffix: [String: Runtime] = [
            "aimodel": .coreai, "mlpackage": .coreml, "pte": .executorch, "tflite": .litert,
        ]
    }

    /// The weights an artifact was made from. `config` is the network's shape, as it stands in the file.
    public struct Source: Sendable, Equatable {
        public var file: String
        public var sha256: String
        public var preset: String
        public var config: [String: JSONValue]
    }

    /// An input or output. Its layout is "opaque" for statistics: as `look` gives them, `restore` takes them. Its range
    /// is the least and largest value, to which outputs are not clamped; nil for statistics.
    public struct Tensor: Sendable, Equatable {
        public var name: String
        public var shape: [Int]
        public var dtype: String
        public var layout: String
        public var range: [Double]?

        /// How many values it holds. The model store has seen to it that they can be counted.
        public var count: Int { shape.reduce(1, *) }

        /// Whether a buffer is of this size.
        ///
        /// - Parameter program: for the message
        /// - Throws: ``EngineError``
        public func check(_ buffer: FloatBuffer, of program: String) throws {
            guard buffer.count == count else {
                throw EngineError("\(name) of \(program) has \(count) values, not \(buffer.count).")
            }
        }

        /// "1x3x256x256"
        public static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }
    }

    /// One of an artifact's two programs: what it takes and gives, each in order.
    public struct Entry: Sendable, Equatable {
        public var inputs: [Tensor]
        public var outputs: [Tensor]
        public var operators: Operators
    }

    /// ExecuTorch methods, LiteRT signatures, Core ML and Core AI functions of these names: `look`, once a photo, from a
    /// sheet of its crops to statistics; `restore`, for every tile, from the tile and the statistics to the tile restored.
    public struct Entries: Sendable, Equatable {
        public var look: Entry
        public var restore: Entry

        /// In the order in which both know them.
        public var statistics: [Tensor] { look.outputs }

        public subscript(name: EntryName) -> Entry {
            switch name {
            case .look: look
            case .restore: restore
            }
        }

        /// What ExecuTorch runs a program for XNNPACK on. What is delegated was fixed when the program was made: it runs
        /// so, or does not load.
        public var executorchAccelerator: String {
            let isWhole = [look, restore].allSatisfy { $0.operators.delegated == $0.operators.total }
            return "ExecuTorch (XNNPACK\(isWhole ? "" : " and portable kernels"))"
        }
    }

    /// How the weights were made smaller; `calibration` names the photos that fixed the ranges.
    public struct Quantization: Sendable, Equatable {
        public var method: String
        public var bits: Int
        public var details: String
        public var calibration: String?
        public var keptFloat: [String]
    }

    /// What the conversion measured.
    public struct Parity: Sendable, Equatable {
        public var status: Status
        public var reason: String?
        public var bounds: [String: Double?]
        public var stages: [Stage]
        public var degradations: [Degradation]
        public var samples: [Sample]
    }

    /// Another size of tiles, and what the conversion measured with them.
    public struct OtherSize: Sendable, Equatable {
        public var size: TileSize
        public var parity: Parity
    }

    /// `measured`: run by its runtime; `evaluated`: computed operator by operator instead.
    public enum Status: String, Sendable, CaseIterable {
        case measured, evaluated
        case notMeasured = "not measured"
    }

    public enum EntryName: String, Sendable, CaseIterable {
        case look, restore
    }

    /// Outputs of one stage's entry against another stage's; PSNR in dB, nil: identical.
    public struct Stage: Sendable, Equatable {
        public var stage: String
        public var entry: EntryName
        public var against: String
        public var maxError: Double
        public var psnr: Double?
    }

    /// PSNR against the truth, in dB.
    public struct Degradation: Sendable, Equatable {
        public var kind: String
        public var literalPSNR: Double
        public var artifactPSNR: Double
        public var loss: Double
    }

    /// Values of the literal network's output for one parity photo.
    public struct Sample: Sendable, Equatable {
        public var photo: Int
        public var values: [Double]
    }
}

/// How much of a graph a backend takes; nil where only the device can tell.
public struct Operators: Sendable, Equatable {
    public var total: Int
    public var delegated: Int?
    public var partitions: Int?

    public init(total: Int, delegated: Int?, partitions: Int?) {
        self.total = total
        self.delegated = delegated
        self.partitions = partitions
    }
}

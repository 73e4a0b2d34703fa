import Foundation

/// A value that stands in the file as null where there is none: the schema asks for every entry.
@propertyWrapper
public struct OrNull<Value: Codable & Sendable>: Codable, Sendable {
    public var wrappedValue: Value?

    public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        wrappedValue = value.decodeNil() ? nil : try value.decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        if let wrappedValue { try value.encode(wrappedValue) } else { try value.encodeNil() }
    }
}

extension OrNull: Equatable where Value: Equatable {}

/// A results file, by profiling/results.schema.json. Names are the schema's, in camel case.
public struct Results: Codable, Sendable {
    public static let schemaVersion = 3

    public var schema = Results.schemaVersion
    public var environment: Environment

    /// As the reference tiles' index has it.
    public var reference: JSONValue
    public var rows: [Row]

    public init(environment: Environment, reference: JSONValue, rows: [Row]) {
        self.environment = environment
        self.reference = reference
        self.rows = rows
    }

    /// The iPhone or iPad on which the benchmark ran.
    public struct Environment: Codable, Sendable, Equatable {
        public var kind = "ios"

        /// In UTC, ISO 8601.
        public var created: String

        /// As the system names it, such as "iPhone17,1".
        public var device: String
        public var cores: Int
        public var memoryBytes: Int

        /// Such as "iOS 18.2".
        public var os: String
        public var appVersion: String

        /// Such as "22C152".
        public var osBuild: String
        public var lowPowerMode: Bool

        public init(
            created: Date, device: String, cores: Int, memoryBytes: Int, os: String, appVersion: String,
            osBuild: String, lowPowerMode: Bool
        ) {
            self.created = created.ISO8601Format()
            self.device = device
            self.cores = cores
            self.memoryBytes = memoryBytes
            self.os = os
            self.appVersion = appVersion
            self.osBuild = osBuild
            self.lowPowerMode = lowPowerMode
        }
    }

    /// The device's state at one moment; nil where it does not tell.
    public struct Reading: Codable, Sendable, Equatable {
        @OrNull public var thermalStatus: ThermalStatus?
        @OrNull public var thermalHeadroom: Double?
        @OrNull public var batteryPercent: Double?
        @OrNull public var batteryCelsius: Double?

        /// "none" off the charger; iOS does not tell what kind of charger there is.
        @OrNull public var plugged: String?

        public init(thermalStatus: ThermalStatus?, batteryPercent: Double? = nil, isPluggedIn: Bool? = nil) {
            self.thermalStatus = thermalStatus
            thermalHeadroom = nil
            self.batteryPercent = batteryPercent
            batteryCelsius = nil
            plugged = isPluggedIn == false ? "none" : nil
        }
    }

    /// ProcessInfo's nominal, fair, serious and critical.
    public enum ThermalStatus: String, Codable, Sendable {
        case nominal = "none"
        case fair = "light"
        case serious = "severe"
        case critical
    }

    public enum Status: String, Codable, Sendable {
        case ok, failed, unsupported
    }

    /// Height and width of tiles.
    public struct RestoreSize: Codable, Sendable {
        public var height: Int
        public var width: Int
    }

    /// One program by one engine: measured, or why not.
    public struct Row: Codable, Sendable {
        public var status: Status
        @OrNull public var error: String?
        public var name: String
        @OrNull public var engine: String?
        @OrNull public var artifact: Artifact?
        @OrNull public var preset: String?
        public var runtime: String
        @OrNull public var runtimeVersion: String?
        public var backend: String
        public var precision: String
        @OrNull public var tile: Int?

        /// Left out where tiles are as large as sheets.
        public var restoreSize: RestoreSize?
        public var device: String
        public var os: String
        @OrNull public var accelerator: String?
        @OrNull public var threads: Int?
        @OrNull public var delegated: Int?
        @OrNull public var operators: Int?
        @OrNull public var partitions: Int?
        @OrNull public var loadMs: Double?
        @OrNull public var loadAgainMs: Double?
        @OrNull public var firstRunMs: Double?
        @OrNull public var latency: Latency?
        @OrNull public var look: Look?
        @OrNull public var peakMemoryBytes: Int?
        @OrNull public var pssBytes: Int?
        @OrNull public var outputSha256: String?
        public var quality: [String: Quality]
        @OrNull public var conditions: Conditions?
        @OrNull public var sustained: Sustained?
    }

    public struct Artifact: Codable, Sendable, Equatable {
        public var name: String
        public var sha256: String
        public var bytes: Int
    }

    public struct Latency: Codable, Sendable {
        public var warmups: Int
        public var n: Int
        public var p50Ms: Double
        public var p90Ms: Double
        public var p99Ms: Double
        public var samplesMs: [Double]
        @OrNull public var split: Split?
    }

    public struct Split: Codable, Sendable {
        public var copyInMs: [Double]
        public var runMs: [Double]
        public var readBackMs: [Double]
    }

    public struct Look: Codable, Sendable {
        @OrNull public var delegated: Int?
        @OrNull public var operators: Int?
        @OrNull public var partitions: Int?
        public var firstRunMs: Double
        public var latency: Latency
    }

    /// Of one degradation. SSIM and pictures are the host's.
    public struct Quality: Codable, Sendable, Equatable {
        @OrNull public var psnrReference: Double?
        @OrNull public var ssimReference: Double?
        public var maxErrorReference: Double
        @OrNull public var psnrTruth: Double?
        @OrNull public var ssimTruth: Double?
        @OrNull public var picture: String?

        init(psnrReference: Double?, maxErrorReference: Double, psnrTruth: Double?) {
            self.psnrReference = psnrReference
            ssimReference = nil
            self.maxErrorReference = maxErrorReference
            self.psnrTruth = psnrTruth
            ssimTruth = nil
            picture = nil
        }
    }

    public struct Conditions: Codable, Sendable, Equatable {
        public var before: Reading
        public var after: Reading
    }

    public struct Sustained: Codable, Sendable {
        public var seconds: Int
        public var runs: [SustainedRun]
    }

    public struct SustainedRun: Codable, Sendable {
        public var atS: Double
        public var ms: Double
        @OrNull public var thermalStatus: ThermalStatus?
        @OrNull public var thermalHeadroom: Double?
    }
}

extension Results.Row {
    /// Says how much of each entry the accelerator takes.
    public mutating func tell(look: Operators?, restore: Operators?) {
        (delegated, operators, partitions) = (restore?.delegated, restore?.total, restore?.partitions)
        self.look?.delegated = look?.delegated
        self.look?.operators = look?.total
        self.look?.partitions = look?.partitions
    }
}

extension Results {
    public func json() throws -> Data { try Self.encoder.encode(self) + Data("\n".utf8) }

    public static func parse(_ data: Data) throws -> Results { try decoder.decode(Results.self, from: data) }

    /// Writes beside the file, then renames: there is never half a file.
    public func write(to url: URL) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try json().write(to: url, options: .atomic)
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}

import AnyIRCore
import AnyIRState
import Foundation

/// What the app remembers: what was chosen to restore with, and how fast what was measured.
@MainActor
final class Settings {
    private let defaults: UserDefaults

    init(_ defaults: UserDefaults = .standard) { self.defaults = defaults }

    var chosen: Pair? {
        get { read("chosen") }
        set { write("chosen", newValue) }
    }

    private(set) var speeds: [String: Speed] {
        get { read("speeds") ?? [:] }
        set { write("speeds", newValue) }
    }

    func speed(_ choice: Choice) -> Speed? { speeds[key(choice)] }

    /// A restoration's figure never takes the place of the benchmark's, which is the better one.
    func remember(_ speed: Speed, of choice: Choice) {
        if !speed.benchmarked, self.speed(choice)?.benchmarked == true { return }
        speeds[key(choice)] = speed
    }

    /// By the model's bytes: another one of the same name is as fast as it is.
    private func key(_ choice: Choice) -> String {
        "\(choice.model.manifest.sha256.lowercased())@\(choice.engine.id)"
    }

    private func read<Value: Decodable>(_ key: String) -> Value? {
        defaults.data(forKey: key).flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
    }

    private func write(_ key: String, _ value: (some Encodable)?) {
        defaults.set(value.flatMap { try? JSONEncoder().encode($0) }, forKey: key)
    }
}

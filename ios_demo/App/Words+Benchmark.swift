import Foundation

/// What the benchmark says.
extension Words {
    static var benchmarkTitle: String { String(localized: "benchmark_title", defaultValue: "Measure this device") }
    static var benchmarkExplained: String {
        String(
            localized: "benchmark_explained",
            defaultValue:
                "Runs every model by every engine, compares the results with the network’s own, and writes a file for “anyir report”. Unplug the device, let it cool, and leave this screen in front."
        )
    }
    static var benchmarkQuick: String {
        String(localized: "benchmark_quick", defaultValue: "Quick: 10 runs of each")
    }
    static var benchmarkThorough: String {
        String(localized: "benchmark_thorough", defaultValue: "Thorough: 50 runs of each")
    }
    static var benchmarkSustained: String {
        String(
            localized: "benchmark_sustained",
            defaultValue: "Sustained: 30 runs, then 5 minutes without a pause")
    }
    static var benchmarkBusy: String {
        String(
            localized: "benchmark_busy",
            defaultValue: "A benchmark is running already; this one was not started.")
    }
    static var benchmarkRestoring: String {
        String(
            localized: "benchmark_restoring",
            defaultValue:
                "A photo is being restored, which would disturb the figures; wait until it is done, or cancel it.")
    }
    static var benchmarkLeft: String {
        String(
            localized: "benchmark_left",
            defaultValue: "The benchmark’s screen was left; keep it in front while it runs.")
    }
    static var benchmarkStopped: String {
        String(localized: "benchmark_stopped", defaultValue: "The benchmark was stopped.")
    }
    static var benchmarkNoTiles: String {
        String(
            localized: "benchmark_no_tiles",
            defaultValue: "There are no reference tiles in this build; stage them on the computer.")
    }
    static var benchmarkNoSpace: String {
        String(
            localized: "benchmark_no_space",
            defaultValue: "The results cannot be written; is there space left on this device?")
    }
    static var benchmarkStop: String { String(localized: "benchmark_stop", defaultValue: "Stop") }
    static func benchmarkWritten(_ file: String) -> String {
        String(localized: "benchmark_written", defaultValue: "Results are in \(file), in the app’s folder “results”.")
    }
    static func benchmarkLatency(_ half: Double, _ most: Double) -> String {
        let (half, most) = (tenths(half), tenths(most))
        return String(
            localized: "benchmark_latency",
            defaultValue: "\(half) ms for a tile; nine in ten take at most \(most) ms")
    }
    static func benchmarkLook(_ time: Double) -> String {
        let time = tenths(time)
        return String(
            localized: "benchmark_look",
            defaultValue: "\(time) ms for the look at a photo, once for all its tiles")
    }
    static func benchmarkMemory(_ bytes: Int) -> String {
        let megabytes = (Double(bytes) / 1e6).formatted(.number.precision(.fractionLength(0)))
        return String(localized: "benchmark_memory", defaultValue: "\(megabytes) MB of memory at most")
    }
    static func benchmarkExact(_ decibels: Double) -> String {
        let worst = tenths(decibels)
        return String(
            localized: "benchmark_exact", defaultValue: "\(worst) dB from the network’s own result at worst")
    }
    static var benchmarkIdentical: String {
        String(localized: "benchmark_identical", defaultValue: "identical to the network’s own result")
    }

    private static func tenths(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(1))) }
}

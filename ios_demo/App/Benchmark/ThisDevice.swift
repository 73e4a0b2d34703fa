import AnyIRCore
import Foundation
import Synchronization
import UIKit
import os

/// The device that the app runs on; what it does not tell is nil. Intervals are signposts, which Instruments shows.
final class ThisDevice: Device {
    private let signposter = OSSignposter(subsystem: "org.anyir.demo", category: "benchmark")
    private let intervals = Mutex<[String: OSSignpostIntervalState]>([:])

    func environment() async -> Results.Environment {
        let process = ProcessInfo.processInfo
        let version = process.operatingSystemVersion
        let patch = version.patchVersion > 0 ? ".\(version.patchVersion)" : ""
        let system = await UIDevice.current.systemName
        return Results.Environment(
            created: Date(), device: machine, cores: process.activeProcessorCount,
            memoryBytes: Int(clamping: process.physicalMemory),
            os: "\(system) \(version.majorVersion).\(version.minorVersion)\(patch)", appVersion: appVersion,
            osBuild: osBuild(process.operatingSystemVersionString), lowPowerMode: process.isLowPowerModeEnabled)
    }

    @MainActor
    func reading() async -> Results.Reading {
        let status: Results.ThermalStatus? =
            switch ProcessInfo.processInfo.thermalState {
            case .nominal: .nominal
            case .fair: .fair
            case .serious: .serious
            case .critical: .critical
            @unknown default: nil
            }
        let device = UIDevice.current
        device.isBatteryMonitoringEnabled = true
        let level = device.batteryLevel
        return Results.Reading(
            thermalStatus: status, batteryPercent: level >= 0 ? Double((level * 100).rounded()) : nil,
            isPluggedIn: device.batteryState == .unknown ? nil : device.batteryState != .unplugged)
    }

    func memory() -> Int? { footprint()?.now }

    func peakMemory() -> Int? { footprint()?.peak }

    func mark(_ interval: String, begins: Bool) {
        // Names of signposts stand in the program itself.
        switch interval {
        case "load": mark("load", interval, begins)
        case "load again": mark("load again", interval, begins)
        case "look": mark("look", interval, begins)
        case "restore": mark("restore", interval, begins)
        default: mark("other", interval, begins)
        }
    }

    private func mark(_ name: StaticString, _ interval: String, _ begins: Bool) {
        intervals.withLock { intervals in
            if begins {
                intervals[interval] = signposter.beginInterval(name)
            } else if let state = intervals.removeValue(forKey: interval) {
                signposter.endInterval(name, state)
            }
        }
    }

    /// Such as "iPhone17,1".
    private var machine: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private var appVersion: String {
        Bundle.main.object(forInfoDictionaryKey: "CFBundleShortVersionString") as? String ?? "unknown"
    }
}

/// "22C152" of "Version 18.2 (Build 22C152)".
func osBuild(_ version: String) -> String {
    guard let start = version.range(of: "(Build "), let end = version[start.upperBound...].firstIndex(of: ")") else {
        return "unknown"
    }
    return String(version[start.upperBound..<end])
}

import AnyIRCore
import AnyIRState
import Foundation

/// Figures and names as the screens say them.
extension Words {
    // Models and engines
    static var modelsTitle: String { String(localized: "models_title", defaultValue: "Models") }
    static var modelsButton: String { String(localized: "models_button", defaultValue: "Models and speed") }
    static var done: String { String(localized: "done", defaultValue: "Done") }
    static var modelsHeading: String { String(localized: "models_heading", defaultValue: "What restores") }
    static var enginesHeading: String { String(localized: "engines_heading", defaultValue: "What runs it") }
    static var refusedHeading: String { String(localized: "refused_heading", defaultValue: "Cannot be used") }
    static var addHeading: String { String(localized: "add_heading", defaultValue: "Add a model") }
    static var addText: String {
        String(
            localized: "add_text",
            defaultValue:
                "Copy a model and the .json file beside it into the folder “models” of this app, with the Files app or a computer, then open this screen again."
        )
    }
    static var recommended: String { String(localized: "recommended", defaultValue: "Recommended") }
    static var engineWrongModel: String {
        String(localized: "engine_wrong_model", defaultValue: "Not for this kind of model")
    }
    static var missingInBuild: String { String(localized: "not_in_this_build", defaultValue: "Not in this build") }
    static var noEngineHere: String {
        String(localized: "no_engine_here", defaultValue: "Nothing in this build of the app runs it")
    }
    static var measure: String { String(localized: "measure", defaultValue: "Measure on this device") }
    static var notMeasured: String {
        String(localized: "not_measured", defaultValue: "Not measured on this device yet")
    }
    static func measured(_ time: String) -> String {
        String(localized: "measured", defaultValue: "On this device: \(time) a tile")
    }
    static func measuredInUse(_ time: String) -> String {
        String(
            localized: "measured_in_use",
            defaultValue: "On this device: \(time) a tile, with loading the model and the photo, and the look at it")
    }
    static func modelTitle(_ preset: String, _ precision: String) -> String {
        String(localized: "model_title", defaultValue: "\(preset), \(precision)")
    }
    static func modelFacts(_ size: String, _ tile: TileSize) -> String {
        String(localized: "model_facts", defaultValue: "\(size) · tiles of \(tile.height) × \(tile.width)")
    }

    /// "small, 16-bit"
    static func model(_ row: ModelRow) -> String { modelTitle(row.preset, precision(row.precision)) }

    static func precision(_ precision: String) -> String {
        switch precision {
        case "fp32": String(localized: "precision_fp32", defaultValue: "32-bit")
        case "fp16": String(localized: "precision_fp16", defaultValue: "16-bit")
        case "int8w": String(localized: "precision_int8w", defaultValue: "8-bit weights")
        case "int8": String(localized: "precision_int8", defaultValue: "8-bit")
        case "int16x8":
            String(localized: "precision_int16x8", defaultValue: "8-bit weights, 16-bit between")
        case "mixed": String(localized: "precision_mixed", defaultValue: "8-bit in part")
        case "pal6": String(localized: "precision_pal6", defaultValue: "6-bit palette")
        case "pal4": String(localized: "precision_pal4", defaultValue: "4-bit palette")
        case "pal6g": String(localized: "precision_pal6g", defaultValue: "6-bit palettes")
        case "pal4g": String(localized: "precision_pal4g", defaultValue: "4-bit palettes")
        default: precision
        }
    }

    /// What a precision is good for; nil where nothing is known of it.
    static func goodFor(_ precision: String) -> String? {
        switch precision {
        case "fp32":
            String(
                localized: "good_fp32",
                defaultValue: "Exactly the network as it was trained. The largest file.")
        case "fp16":
            String(
                localized: "good_fp16", defaultValue: "Half the size of 32-bit, and practically the same picture.")
        case "int8w": String(localized: "good_int8w", defaultValue: "A smaller file, and nearly the same picture.")
        case "pal6": String(localized: "good_pal6", defaultValue: "A small file, and nearly the same picture.")
        case "pal6g":
            String(
                localized: "good_pal6g",
                defaultValue: "As the one with one palette, but closer to the network and a little larger.")
        case "pal4":
            String(
                localized: "good_pal4",
                defaultValue: "The smallest file. Look closely at the result: fine detail can suffer.")
        case "pal4g":
            String(
                localized: "good_pal4g",
                defaultValue: "Nearly the smallest file. Look closely at the result: fine detail can suffer.")
        case "mixed":
            String(
                localized: "good_mixed",
                defaultValue: "8-bit where that costs little, so closer to the network than 8-bit throughout.")
        case "int16x8":
            String(
                localized: "good_int16x8",
                defaultValue: "A small file. XNNPACK does not run it whole, so it is slow.")
        case "int8":
            String(
                localized: "good_int8",
                defaultValue: "A small file. Look closely at the result: fine detail can suffer.")
        default: nil
        }
    }

    /// A reason that an engine gives, as a sentence: "not in this build" becomes "Not in this build".
    static func sentence(_ reason: String) -> String {
        reason == notInThisBuild ? missingInBuild : reason.prefix(1).uppercased() + reason.dropFirst()
    }

    static func size(_ bytes: Int) -> String {
        ByteCountFormatter.string(fromByteCount: Int64(bytes), countStyle: .file)
    }

    /// "On this device: 210 ms a tile", or that it was not measured.
    static func speed(_ speed: Speed?) -> String {
        guard let speed else { return notMeasured }
        let time = speed.seconds < 1 ? milliseconds(Int((speed.seconds * 1000).rounded())) : duration(speed.seconds)
        return speed.benchmarked ? measured(time) : measuredInUse(time)
    }

    /// "12.3 s" or "2 min 5 s"
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 60
            ? Words.seconds(seconds.formatted(.number.precision(.fractionLength(1))))
            : minutes(whole / 60, whole % 60)
    }

    /// "about 20 seconds left": rounded so that it does not flicker.
    static func left(_ time: Duration) -> String {
        let seconds = Int((time / .seconds(1)).rounded())
        if seconds < 5 { return leftFew }
        return seconds < 90
            ? leftSeconds((seconds + 2) / 5 * 5) : leftMinutes(Int((Double(seconds) / 60).rounded()))
    }

    /// What a restoration is doing.
    static func steps(_ progress: RestoreProgress?) -> String {
        guard let progress else { return loadingModel }
        return progress.tiles.map { tilesDone($0, progress.total - 1) } ?? looking
    }

    /// Which model and engine made a result, what they ran on, and how long they took.
    static func ran(_ result: RestoredPhoto) -> String {
        ranOn(ranWith(result.model, result.engineLabel), result.accelerator, duration(result.seconds))
    }

    /// "This photo looks fine: little changes (0.94 of 255; a fault is 2.5 or more).", or what it needs.
    static func need(_ need: Need) -> String {
        func figure(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(0...2))) }
        let (change, bound) = (figure(need.change), figure(Need.needed))
        guard need.isNeeded else { return needNothing(change, bound) }
        let lacks = need.faults.map(lack)
        let list = lacks.dropFirst().reduce(lacks.first ?? needUnnamed, needAnd)
        return needSomething(list, change, bound)
    }

    private static func lack(_ fault: Fault) -> String {
        switch fault {
        case .lowLight: needLight
        case .haze: needLessHaze
        case .noise: needLessNoise
        case .blur: needSharpness
        }
    }

    /// What is told to those who do not see the screen change; nil where nothing is.
    static func news(of event: AppState.Event, _ before: AppState, _ now: AppState) -> String? {
        if let notice = now.notice, notice != before.notice { return notice.sentence }
        switch (event, now.work, now.saving) {
        case (.restored, .done, _): return paneDone
        case (.notOpened, .failed(_, let notice), _), (.notRestored, .failed(_, let notice), _): return notice.sentence
        case (.saved, _, .done): return saved
        case (.notSaved, _, .failed(let notice)): return notice.sentence
        default: return nil
        }
    }

    static func percent(_ share: Double) -> Int { Int((share * 100).rounded()) }
}

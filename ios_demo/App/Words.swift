import AnyIRCore
import AnyIRState
import Foundation

/// All that the screens say, by the keys of Localizable.xcstrings; the Android app has the same words.
enum Words {
    // The first screen
    static var startTitle: String { String(localized: "start_title", defaultValue: "Clear up a bad photo") }
    static var startText: String {
        String(
            localized: "start_text",
            defaultValue:
                "Noise, haze, darkness, rain, snow and blur are removed on this device. No photo leaves it.")
    }
    static var sampleName: String { String(localized: "sample_name", defaultValue: "Sample photo") }
    static var restoreSample: String { String(localized: "restore_sample", defaultValue: "Restore the sample photo") }
    static var choosePhoto: String { String(localized: "choose_photo", defaultValue: "Choose a photo") }
    static var chooseAnother: String { String(localized: "choose_another", defaultValue: "Another photo") }
    static var browseFiles: String { String(localized: "browse_files", defaultValue: "Browse files") }
    static var opening: String { String(localized: "opening", defaultValue: "Opening the photo…") }

    // A photo is chosen
    static var restore: String { String(localized: "restore", defaultValue: "Restore") }
    static var restoreHalf: String { String(localized: "restore_half", defaultValue: "Restore at half size") }
    static func facts(_ photo: PhotoInfo) -> String {
        String(localized: "photo_facts", defaultValue: "\(photo.name) · \(photo.width) × \(photo.height)")
    }
    static func tooLarge(_ photo: PhotoInfo) -> String {
        let size = photo.megapixels.formatted(.number.precision(.fractionLength(0...1)))
        let half = photo.half
        return String(
            localized: "too_large",
            defaultValue:
                "This photo has \(size) megapixels; up to \(PhotoInfo.maxMegapixels) are restored whole. It can be restored at half its width and height: \(half.width) × \(half.height)."
        )
    }
    static var interrupted: String {
        String(
            localized: "interrupted",
            defaultValue: "The app was closed before this photo was finished. You can start again.")
    }
    static func choice(_ model: String, _ engine: String) -> String {
        String(localized: "choice", defaultValue: "Restores with \(model) on \(engine)")
    }
    static var lookingForModels: String { String(localized: "looking_for_models", defaultValue: "Looking for models…") }
    static var noModel: String {
        String(
            localized: "no_model",
            defaultValue:
                "There is no model on this device yet. Copy one into the app’s folder “models” with the Files app, or stage it on the computer."
        )
    }
    static var noEngine: String {
        String(
            localized: "no_engine",
            defaultValue: "None of the models here runs in this build of the app. The list of models says why.")
    }
    static var showModels: String { String(localized: "show_models", defaultValue: "Show models") }

    // Restoring
    static var restoring: String { String(localized: "restoring", defaultValue: "Restoring…") }
    static func restoringName(_ name: String) -> String {
        String(localized: "restore_title", defaultValue: "Restoring \(name)")
    }
    static var loadingModel: String { String(localized: "loading_model", defaultValue: "Loading the model…") }
    static var looking: String { String(localized: "looking", defaultValue: "Looking at the whole photo…") }
    static var cancelling: String { String(localized: "cancelling", defaultValue: "Stopping after this tile…") }
    static func tilesDone(_ done: Int, _ all: Int) -> String {
        String(localized: "tiles_done", defaultValue: "\(done) of \(all) tiles done")
    }
    static var cancel: String { String(localized: "cancel", defaultValue: "Cancel") }
    static var leftFew: String { String(localized: "left_few", defaultValue: "a few seconds left") }
    static func leftSeconds(_ seconds: Int) -> String {
        String(localized: "left_seconds", defaultValue: "about \(seconds) seconds left")
    }
    static func leftMinutes(_ minutes: Int) -> String {
        String(localized: "left_minutes", defaultValue: "about \(minutes) minutes left")
    }
    static var gpuStays: String {
        String(
            localized: "gpu_stays",
            defaultValue:
                "The system lets no app use the GPU in the background: keep the app open, or choose the Neural Engine.")
    }

    // What a photo needs, once it was looked at
    static func needNothing(_ change: String, _ bound: String) -> String {
        String(
            localized: "need_nothing",
            defaultValue: "This photo looks fine: little changes (\(change) of 255; a fault is \(bound) or more).")
    }
    static func needSomething(_ lacks: String, _ change: String, _ bound: String) -> String {
        String(
            localized: "need_something",
            defaultValue: "Needs \(lacks) (\(change) of 255; a fault is \(bound) or more).")
    }
    static var needLight: String { String(localized: "need_light", defaultValue: "more light") }
    static var needLessHaze: String { String(localized: "need_less_haze", defaultValue: "less haze, rain or snow") }
    static var needLessNoise: String { String(localized: "need_less_noise", defaultValue: "less noise") }
    static var needSharpness: String { String(localized: "need_sharpness", defaultValue: "a sharper picture") }
    static var needUnnamed: String { String(localized: "need_unnamed", defaultValue: "restoring") }
    static func needAnd(_ first: String, _ second: String) -> String {
        String(localized: "need_and", defaultValue: "\(first), and \(second)")
    }

    // Restored
    static var paneDone: String { String(localized: "pane_done", defaultValue: "Restored") }
    static var strength: String { String(localized: "strength", defaultValue: "Strength") }
    static func strengthValue(_ percent: Int) -> String {
        String(localized: "strength_value", defaultValue: "\(percent) %")
    }
    static func strengthState(_ percent: Int) -> String {
        String(localized: "strength_state", defaultValue: "\(percent) percent restored")
    }
    static var strengthHint: String {
        String(localized: "strength_hint", defaultValue: "Press and hold the photo to see it as it was.")
    }
    static func ranOn(_ made: String, _ accelerator: String, _ time: String) -> String {
        String(localized: "ran_on", defaultValue: "\(made) · ran on \(accelerator) in \(time)")
    }
    static func ranWith(_ model: String, _ engine: String) -> String {
        String(localized: "ran_with", defaultValue: "\(model), \(engine)")
    }
    static func seconds(_ seconds: String) -> String { String(localized: "seconds", defaultValue: "\(seconds) s") }
    static func minutes(_ minutes: Int, _ seconds: Int) -> String {
        String(localized: "minutes", defaultValue: "\(minutes) min \(seconds) s")
    }
    static func milliseconds(_ milliseconds: Int) -> String {
        String(localized: "milliseconds", defaultValue: "\(milliseconds) ms")
    }
    static func halfResult(_ width: Int, _ height: Int) -> String {
        String(localized: "half_result", defaultValue: "Restored at half size: \(width) × \(height).")
    }
    static var save: String { String(localized: "save", defaultValue: "Save") }
    static var saveAgain: String { String(localized: "save_again", defaultValue: "Save again") }
    static var share: String { String(localized: "share", defaultValue: "Share") }
    static func restoreAgain(_ model: String, _ engine: String) -> String {
        String(localized: "restore_again", defaultValue: "Restore again with \(model) on \(engine)")
    }
    static var restoreAgainHint: String {
        String(
            localized: "restore_again_hint",
            defaultValue: "This result stays until the new one is there. Save it to keep both.")
    }
    static var saving: String { String(localized: "saving", defaultValue: "Saving…") }
    static var saved: String {
        String(localized: "saved_before", defaultValue: "Saved. The original is unchanged.")
    }
    static var closePhoto: String { String(localized: "close_photo", defaultValue: "Close this photo") }
    static var closeTitle: String { String(localized: "close_title", defaultValue: "Close without saving?") }
    static var closeText: String {
        String(localized: "close_text", defaultValue: "The restored photo has not been saved.")
    }
    static var closeUnsaved: String { String(localized: "close_unsaved", defaultValue: "Close") }
    static var keep: String { String(localized: "keep", defaultValue: "Keep") }

    // Errors
    static var tryAgain: String { String(localized: "try_again", defaultValue: "Try again") }
    static var cannotShow: String { String(localized: "cannot_show", defaultValue: "This photo cannot be shown.") }

    // Before and after
    static var before: String { String(localized: "compare_before", defaultValue: "Before") }
    static var after: String { String(localized: "compare_after", defaultValue: "After") }
    static func compareDescription(_ name: String) -> String {
        String(localized: "compare_description", defaultValue: "\(name), before and after")
    }
    static func compareState(_ percent: Int) -> String {
        String(localized: "compare_state", defaultValue: "\(percent) percent after")
    }
    static var compareOriginal: String { String(localized: "compare_original", defaultValue: "The photo as it was") }
    static var showOriginal: String {
        String(localized: "action_show_original", defaultValue: "Show the photo as it was")
    }
    static var showRestored: String {
        String(localized: "action_show_restored", defaultValue: "Show the restored photo")
    }
    static var zoomIn: String { String(localized: "action_zoom_in", defaultValue: "Zoom in") }
    static var zoomOut: String { String(localized: "action_zoom_out", defaultValue: "Zoom out") }

    // Notes
    static var noteGainMap: String {
        String(
            localized: "note_gain_map",
            defaultValue: "The HDR gain map is not kept: the result looks as on a screen without HDR.")
    }
    static func noteBits(_ bits: Int) -> String {
        String(localized: "note_bits", defaultValue: "The photo has \(bits) bits a channel; the result has 8.")
    }
    static func noteColours(_ model: String) -> String {
        String(localized: "note_colours", defaultValue: "The colours are converted from \(model) to sRGB.")
    }
    static func noteFormat(_ new: String, _ old: String) -> String {
        String(
            localized: "note_format", defaultValue: "The result is saved as \(new): this system cannot write \(old).")
    }
}

import AnyIRCore
import AnyIRState
import Foundation
import Synchronization

/// One restoration, from the photo's file to the result's.
struct Restoration: Sendable {
    let photo: PhotoInfo
    let choice: Choice
    let halfSize: Bool
    let files: PhotoFiles

    /// More would be a phone's small cores, which only slow the large ones down.
    static var threads: Int { min(4, ProcessInfo.processInfo.activeProcessorCount) }

    /// Off the main thread. Cancelling the task ends it with the tile that runs, and leaves no file.
    ///
    /// - Throws: CancellationError, ``PhotoFault``, and what the engine and the disk say
    func run(progress: @Sendable (RestoreProgress) -> Void) async throws -> RestoredPhoto {
        let clock = ContinuousClock()
        let start = clock.now
        // First of all, so that a model that is refused is said before the photo is decoded.
        let restorer = PhotoRestorer(choice.model, with: choice.engine, threads: Self.threads)
        try await restorer.load()
        let source = try DecodedPhoto(files.url(photo.file), info: photo, halfSize: halfSize)
        try Task.checkCancellation()
        let url = files.newFile("result")
        do {
            let writer = try PixelWriter(url)
            let found = Mutex<Need?>(nil)
            let facts = try await restorer.restore(source, into: writer, asksNeed: true) { step in
                found.withLock { $0 = step.need }
                progress(step)
            }
            try writer.close()
            guard let need = found.withLock({ $0 }) else { throw RestoreError.notFinite }
            return RestoredPhoto(
                file: url.lastPathComponent, width: source.width, height: source.height, halfSize: halfSize,
                model: choice.model.manifest.name, engine: choice.engine.id, engineLabel: choice.engine.label,
                accelerator: facts.accelerator, seconds: (clock.now - start) / .seconds(1), need: need)
        } catch {
            try? FileManager.default.removeItem(at: url)
            throw error
        }
    }

    /// What is said of what ended it; nil where it was called off.
    func notice(of error: any Error) -> Notice? {
        if let fault = error as? PhotoFault { return fault.notice }
        if isNoSpace(error) { return .noSpaceForResult }
        return AnyIRState.notice(of: error, engine: choice.engine.label, model: choice.model.manifest.name)
    }
}

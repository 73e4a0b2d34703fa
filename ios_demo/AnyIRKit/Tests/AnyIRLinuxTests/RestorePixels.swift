import AnyIRCore
import Foundation

/// `pixels` (R, G, B, A: 4 bytes each) restored by the first model in `folder` that `engine` runs.
func restore(
    _ pixels: [UInt8], width: Int, height: Int, models folder: URL, engine: any EngineFactory
) async throws -> [UInt8] {
    if let refusal = engine.refusal { throw EngineError(refusal) }
    let models = ModelStore(folders: [folder]).list().compactMap(\.model)
    guard let model = models.first(where: { engine.opens($0.manifest) }) else {
        throw EngineError("There is no model for \(engine.label) in \(folder.path).")
    }
    let photo = MemoryPhoto(width: width, height: height, pixels: pixels)
    let result = MemorySink(width: width, height: height)
    let restorer = PhotoRestorer(model, with: engine)
    try await restorer.restore(photo, into: result) { progress in
        print("\(progress.done) of \(progress.total) steps")
    }
    return result.photo?.pixels ?? []
}

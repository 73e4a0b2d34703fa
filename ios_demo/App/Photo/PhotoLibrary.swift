import AnyIRState
import Foundation
import Photos

/// Saves photos as new ones among the user's.
protocol PhotoSaving: Sendable {
    /// - Throws: ``PhotoFault``: the permission is refused, or the photo is not taken
    func save(_ file: URL) async throws
}

/// The system's photo library. Only the permission to add is asked for: nothing is read or changed.
struct PhotoLibrary: PhotoSaving {
    func save(_ file: URL) async throws {
        let status = await PHPhotoLibrary.requestAuthorization(for: .addOnly)
        guard status == .authorized || status == .limited else { throw PhotoFault(.saveRefused) }
        do {
            try await PHPhotoLibrary.shared().performChanges {
                let options = PHAssetResourceCreationOptions()
                options.originalFilename = file.lastPathComponent
                PHAssetCreationRequest.forAsset().addResource(with: .photo, fileURL: file, options: options)
            }
        } catch {
            throw PhotoFault(isNoSpace(error) ? .noSpaceToSave : .notTaken)
        }
    }
}

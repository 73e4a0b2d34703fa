import AnyIRState
import CoreTransferable
import Foundation
import PhotosUI
import SwiftUI
import UniformTypeIdentifiers

/// Where a photo is to come from.
enum PhotoRequest: Sendable {
    case sample
    case picked(PhotosPickerItem)

    /// From the files app, a drop, or another app.
    case file(URL)

    /// By the share extension: a file alone in its folder, to be moved.
    case shared(URL)
}

/// Copies what was chosen into the app's own folder, so that it may be deleted or moved meanwhile.
struct PhotoInbox: Sendable {
    /// 400 MB: no photo's file is larger.
    static let maxBytes = 400 << 20

    let files: PhotoFiles

    /// - Throws: ``PhotoFault``, what the disk says, CancellationError; nothing is left then
    func open(_ request: PhotoRequest) async throws -> PhotoInfo {
        let copy = files.newFile("photo")
        do {
            let name = try await fetch(request, to: copy)
            try Task.checkCancellation()
            return try PhotoReader(copy).info(file: copy.lastPathComponent, name: name)
        } catch {
            try? FileManager.default.removeItem(at: copy)
            throw error
        }
    }

    private func fetch(_ request: PhotoRequest, to copy: URL) async throws -> String {
        switch request {
        case .sample:
            guard let sample = Bundle.main.url(forResource: "sample", withExtension: "jpg") else {
                throw PhotoFault(.gone)
            }
            try FileManager.default.copyItem(at: sample, to: copy)
            return Words.sampleName
        case .picked(let item):
            let picked: PickedPhoto?
            do {
                picked = try await item.loadTransferable(type: PickedPhoto.self)
            } catch {
                // Most of what fails here is a photo that lies in iCloud only.
                throw PhotoFault(isNoSpace(error) ? .noSpaceToOpen : .notDelivered)
            }
            guard let picked else { throw PhotoFault(.notAPhoto) }
            try FileManager.default.moveItem(at: picked.file, to: copy)
            return picked.file.lastPathComponent
        case .file(let url):
            try copyFile(url, to: copy)
            return url.lastPathComponent
        case .shared(let url):
            defer { try? FileManager.default.removeItem(at: url.deletingLastPathComponent()) }
            try copyFile(url, to: copy)
            return url.lastPathComponent
        }
    }

    private func copyFile(_ url: URL, to copy: URL) throws {
        let isScoped = url.startAccessingSecurityScopedResource()
        defer { if isScoped { url.stopAccessingSecurityScopedResource() } }
        guard FileManager.default.fileExists(atPath: url.path) else { throw PhotoFault(.gone) }
        let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        guard size > 0, size <= Self.maxBytes else { throw PhotoFault(.notAPhoto) }
        do {
            try FileManager.default.copyItem(at: url, to: copy)
        } catch {
            throw PhotoFault(isNoSpace(error) ? .noSpaceToOpen : .gone)
        }
    }
}

/// A photo as the photo picker hands it over: its own file, not converted.
struct PickedPhoto: Transferable {
    let file: URL

    static var transferRepresentation: some TransferRepresentation {
        FileRepresentation(importedContentType: .image) { received in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // The system deletes its file when this returns.
            let file = folder.appendingPathComponent(received.file.lastPathComponent)
            try FileManager.default.copyItem(at: received.file, to: file)
            return PickedPhoto(file: file)
        }
    }
}

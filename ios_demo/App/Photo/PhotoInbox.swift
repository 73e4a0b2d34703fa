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
            try files.copy(sample, copy)
            return Words.sampleName
        case .picked(let item):
            let picked: PickedPhoto?
            do {
                picked = try await item.loadTransferable(type: PickedPhoto.self)
            } catch {
                // Most of what fails here is a photo that lies in iCloud only.
                throw PhotoFault(isNoSpace(error) ? .noSpaceToOpen : .notDelivered)
            }
            guard let file = try picked?.file.get() else { throw PhotoFault(.notAPhoto) }
            defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
            try FileManager.default.moveItem(at: file, to: copy)
            return file.lastPathComponent
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
            try files.copy(url, copy)
        } catch {
            throw PhotoFault(isNoSpace(error) ? .noSpaceToOpen : .gone)
        }
    }
}

/// A photo as the photo picker hands it over: its own file, not converted.
struct PickedPhoto: Transferable {
    /// Alone in a folder of its own; or what the disk said, which must not be taken for a photo that did not arrive.
    let file: Result<URL, PhotoFault>

    /// The system deletes its file when this returns.
    init(_ received: URL, copy: PhotoFiles.Copy = { try FileManager.default.copyItem(at: $0, to: $1) }) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let own = folder.appendingPathComponent(received.lastPathComponent)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try copy(received, own)
            file = .success(own)
        } catch {
            try? FileManager.default.removeItem(at: folder)
            file = .failure(PhotoFault(isNoSpace(error) ? .noSpaceToOpen : .notDelivered))
        }
    }

    static var transferRepresentation: some TransferRepresentation {
        FileRepresentation(importedContentType: .image) { PickedPhoto($0.file) }
    }
}

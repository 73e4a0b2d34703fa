import AnyIRState
import Foundation
import Testing

@Suite struct HandoverTests {
    @Test func theLastPhotoIsTakenOnceAndTheOthersAreForgotten() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        let target = folder.appendingPathComponent("target")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let handover = Handover(container: folder)
        #expect(handover.take(into: target) == nil)
        for (name, text) in [("one.jpg", "1"), ("two words.jpg", "2")] {
            let photo = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: photo)
            try handover.leave(photo)
            Thread.sleep(forTimeInterval: 0.02)
        }
        let taken = try #require(handover.take(into: target))
        #expect(taken.lastPathComponent == "two words.jpg")
        #expect(try Data(contentsOf: taken) == Data("2".utf8))
        #expect(handover.take(into: target) == nil)
        // What is not whole is never taken, and leaves nothing behind.
        #expect(throws: (any Error).self) { try handover.leave(folder.appendingPathComponent("gone.jpg")) }
        #expect(handover.take(into: target) == nil)
        let shared = folder.appendingPathComponent("Shared")
        #expect(try FileManager.default.contentsOfDirectory(atPath: shared.path).isEmpty)
    }

    @Test func whatIsBeingCopiedStaysUntilItIsOld() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let photo = folder.appendingPathComponent("one.jpg")
        try Data("1".utf8).write(to: photo)
        let taking = Handover(container: folder)
        // The app takes while the extension copies.
        let leaving = Handover(container: folder) { file, target in
            #expect(!taking.isWaiting && taking.take(into: folder) == nil)
            try FileManager.default.copyItem(at: file, to: target)
        }
        try leaving.leave(photo)
        #expect(taking.isWaiting && taking.take(into: folder) != nil && !taking.isWaiting)
        let cut = folder.appendingPathComponent("Shared/.cut")
        try FileManager.default.createDirectory(at: cut, withIntermediateDirectories: true)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -4000)], ofItemAtPath: cut.path)
        #expect(taking.take(into: folder) == nil)
        #expect(!FileManager.default.fileExists(atPath: cut.path))
    }
}

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
}

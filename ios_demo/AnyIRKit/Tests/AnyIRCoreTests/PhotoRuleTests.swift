import AnyIRCore
import Foundation
import Testing

@Suite struct PhotoRuleTests {
    /// A 2x3 picture whose pixels are numbered, as it lies in a file of each orientation (EXIF 2.3, table of tag 274).
    @Test(arguments: [
        (1, 2, [0, 1, 2, 3, 4, 5]), (2, 2, [1, 0, 3, 2, 5, 4]), (3, 2, [5, 4, 3, 2, 1, 0]),
        (4, 2, [4, 5, 2, 3, 0, 1]), (5, 3, [0, 2, 4, 1, 3, 5]), (6, 3, [1, 3, 5, 0, 2, 4]),
        (7, 3, [5, 3, 1, 4, 2, 0]), (8, 3, [4, 2, 0, 5, 3, 1]),
    ])
    func everyOrientationComesUpright(exif: Int, fileWidth: Int, file: [UInt8]) {
        let bytes: [UInt8] = file.flatMap { value in [value, value + 10, value + 20, 255] as [UInt8] }
        let upright = MemoryPhoto(width: fileWidth, height: 6 / fileWidth, pixels: bytes).upright(exif: exif)
        #expect(upright.width == 2 && upright.height == 3)
        #expect(stride(from: 0, to: 24, by: 4).map { upright.pixels[$0] } == [0, 1, 2, 3, 4, 5])
    }

    @Test(arguments: 1...8)
    func aRegionReadInTheFileIsTheUprightOne(exif: Int) {
        let orientation = Orientation(exif: exif)
        let file = randomPhoto(7, 5)
        let upright = file.upright(exif: exif)
        let area = Region(x: 1, y: 2, width: 3, height: 2)
        let inFile = orientation.inFile(area, width: 7, height: 5)
        var raw = [UInt8](repeating: 0, count: 24)
        var turned = raw
        var due = raw
        raw.withUnsafeMutableBufferPointer { file.read(inFile, into: $0) }
        raw.withUnsafeBufferPointer { raw in
            turned.withUnsafeMutableBufferPointer { orientation.turn(raw, width: 3, height: 2, into: $0) }
        }
        due.withUnsafeMutableBufferPointer { upright.read(area, into: $0) }
        #expect(turned == due)
    }

    @Test func aPhotoWithoutTransparencyIsOpaque() {
        #expect(MemoryPhoto(width: 1, height: 1, pixels: [1, 2, 3, 255]).isOpaque)
        #expect(!MemoryPhoto(width: 2, height: 1, pixels: [1, 2, 3, 255, 1, 2, 3, 254]).isOpaque)
    }

    @Test func whatIsNoOrientationIsUpright() {
        for exif in [0, 9, -1, 65_535] { #expect(Orientation(exif: exif).isUpright) }
    }

    @Test(arguments: [true, false])
    func exifIsReadAndChangedInPlace(isLittle: Bool) throws {
        let block = tiff(isLittle: isLittle, orientation: 6)
        #expect(Exif.orientation(of: block) == 6)
        let changed = try #require(Exif.forResult(block, width: 70_000, height: 30))
        #expect(changed.count == block.count)
        #expect(Exif.orientation(of: changed) == 1)
        #expect(changed.suffix(6) == block.suffix(6), "a maker's own bytes stay")
        let number: [UInt8] = isLittle ? [0x70, 0x11, 0x01, 0x00] : [0x00, 0x01, 0x11, 0x70]
        #expect(changed.indices.contains { changed[$0...].starts(with: number) }, "the width of the result")
    }

    @Test func damagedExifSaysNothingAndNeverFails() {
        let block = tiff(isLittle: true, orientation: 8)
        for count in 0..<block.count { _ = Exif.orientation(of: Array(block.prefix(count))) }
        for place in block.indices {
            for value: UInt8 in [0, 1, 127, 128, 255] {
                var damaged = block
                damaged[place] = value
                #expect(1...8 ~= Exif.orientation(of: damaged))
                _ = Exif.forResult(damaged, width: 3, height: 4)
            }
        }
        #expect(Exif.orientation(of: Array("XXXX".utf8)) == 1)
        #expect(Exif.forResult([], width: 1, height: 1) == nil)
        #expect(Exif.withoutHeader(Array("Exif\0\0II".utf8)) == Array("II".utf8))
    }

    @Test func strengthMixesOnceAndRoundsToEven() {
        let result: [UInt8] = [200, 0, 255, 255]
        let photo: [UInt8] = [100, 1, 0, 255]
        func mixed(_ strength: Float) -> [UInt8] {
            var mixed = [UInt8](repeating: 9, count: 4)
            result.withUnsafeBufferPointer { result in
                photo.withUnsafeBufferPointer { photo in
                    mixed.withUnsafeMutableBufferPointer { mix(result, with: photo, strength: strength, into: $0) }
                }
            }
            return mixed
        }
        #expect(mixed(1) == result)
        #expect(mixed(0) == photo)
        #expect(mixed(0.5) == [150, 0, 128, 255])
        #expect(mixed(7) == result)
    }

    @Test func aFileIsWholeOrNotThereAndReplacesNone() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("anyir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func left() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }
        let url = folder.appendingPathComponent("result.png")
        let full = PhotoFileError("\(url.path) cannot be written: there is not enough space.")
        #expect(throws: full) {
            try makeWhole(url) { part in
                try Data("half".utf8).write(to: part)
                throw CocoaError(.fileWriteOutOfSpace)
            }
        }
        #expect(try left() == [])
        try makeWhole(url) { try Data("mine".utf8).write(to: $0) }
        #expect(try left() == ["result.png"])
        // One that appeared while the photo was restored.
        #expect(throws: PhotoFileError("\(url.path) is there already; name another file.")) {
            try makeWhole(url) { try Data("other".utf8).write(to: $0) }
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == "mine" && left() == ["result.png"])
    }

    /// A TIFF block: width as a short, orientation, and a maker's entry whose value lies behind the directory.
    private func tiff(isLittle: Bool, orientation: Int) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            let bytes = (0..<count).map { UInt8(value >> (8 * $0) & 255) }
            return isLittle ? bytes : bytes.reversed()
        }
        func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
            number(tag, 2) + number(type, 2) + number(count, 4) + value
        }
        var bytes = Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(3, 2)
        bytes += entry(0x0100, 3, 1, number(640, 2) + [0, 0])
        bytes += entry(0x0112, 3, 1, number(orientation, 2) + [0, 0])
        bytes += entry(0xc000, 7, 6, number(8 + 2 + 36 + 4, 4))
        return bytes + number(0, 4) + [9, 8, 7, 6, 5, 4]
    }
}

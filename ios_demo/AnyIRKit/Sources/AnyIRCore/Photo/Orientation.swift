/// EXIF's eight ways in which a picture can lie in its file, as what makes it upright: swap x and y or not, then count
/// each of the file's axes from its end or not.
public struct Orientation: Sendable, Equatable {
    /// Whether the upright picture is as wide as the file's is high.
    public let swaps: Bool
    public let fromRight: Bool
    public let fromBottom: Bool

    /// - Parameter exif: 1...8; anything else counts as 1, upright.
    public init(exif: Int) {
        swaps = 5...8 ~= exif
        fromRight = [2, 3, 7, 8].contains(exif)
        fromBottom = [3, 4, 6, 7].contains(exif)
    }

    public var isUpright: Bool { !swaps && !fromRight && !fromBottom }

    /// The upright picture's size, of the file's.
    public func upright(width: Int, height: Int) -> (width: Int, height: Int) {
        swaps ? (height, width) : (width, height)
    }

    /// Where a part of the upright picture lies in the file's, which is `width` x `height`.
    public func inFile(_ area: Region, width: Int, height: Int) -> Region {
        let turned =
            swaps ? Region(x: area.y, y: area.x, width: area.height, height: area.width) : area
        return Region(
            x: fromRight ? width - turned.x - turned.width : turned.x,
            y: fromBottom ? height - turned.y - turned.height : turned.y,
            width: turned.width, height: turned.height)
    }

    /// Puts the pixels (4 bytes each) of a part of the file, row by row, upright.
    ///
    /// - Parameters:
    ///   - file: the part, as it lies in the file
    ///   - width: of the upright part
    ///   - height: of the upright part
    ///   - upright: receives width x height pixels
    public func turn(
        _ file: UnsafeBufferPointer<UInt8>, width: Int, height: Int, into upright: UnsafeMutableBufferPointer<UInt8>
    ) {
        let fileWidth = swaps ? height : width
        let fileHeight = swaps ? width : height
        precondition(file.count >= 4 * width * height && upright.count >= 4 * width * height)
        for y in 0..<height {
            for x in 0..<width {
                let column = swaps ? y : x
                let row = swaps ? x : y
                let fileX = fromRight ? fileWidth - 1 - column : column
                let fileY = fromBottom ? fileHeight - 1 - row : row
                let (from, to) = (4 * (fileY * fileWidth + fileX), 4 * (y * width + x))
                for byte in 0..<4 { upright[to + byte] = file[from + byte] }
            }
        }
    }
}

extension MemoryPhoto {
    /// The same photo upright, as EXIF's orientation (1...8) says.
    public func upright(exif: Int) -> MemoryPhoto {
        let orientation = Orientation(exif: exif)
        if orientation.isUpright { return self }
        let size = orientation.upright(width: width, height: height)
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
            pixels.withUnsafeBufferPointer {
                orientation.turn($0, width: size.width, height: size.height, into: target)
            }
            count = pixels.count
        }
        return MemoryPhoto(width: size.width, height: size.height, pixels: turned)
    }
}

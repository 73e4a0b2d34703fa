/// EXIF as the TIFF block that it is, kept byte for byte but for what a result changes. All tags stay, makers' own
/// among them, which a copy tag by tag would lose.
///
/// Nothing here fails on a damaged block: it is then taken to say nothing.
public enum Exif {
    private static let orientationTag = 0x0112
    private static let (jpegAt, jpegBytes) = (0x0201, 0x0202)
    private static let (stripAt, stripBytes) = (0x0111, 0x0117)

    /// The picture's size stands in EXIF's own directory and, from some writers, in the main one too.
    private static let widths: Set = [0x0100, 0xa002]
    private static let heights: Set = [0x0101, 0xa003]

    /// 1...8, 1 where the block has none.
    public static func orientation(of tiff: [UInt8]) -> Int {
        var found = 1
        var block = TIFFBlock(tiff)
        _ = block?.visit { block, tag, place in
            if tag == orientationTag { found = block.number(place) }
        }
        return 1...8 ~= found ? found : 1
    }

    /// A copy for an upright result of `width` x `height`: orientation 1, its size, and no thumbnail, which would show the
    /// old picture; its bytes are erased too. Nil where the block is damaged.
    public static func forResult(_ tiff: [UInt8], width: Int, height: Int) -> [UInt8]? {
        guard var block = TIFFBlock(tiff) else { return nil }
        let visited = block.visit { block, tag, place in
            if tag == orientationTag { block.setNumber(place, 1) }
            if widths.contains(tag) { block.setNumber(place, width) }
            if heights.contains(tag) { block.setNumber(place, height) }
        }
        guard let visited else { return nil }
        if let pointer = visited.afterFirst, let thumbnail = block.long(pointer) {
            if thumbnail != 0 { eraseThumbnail(&block, at: thumbnail, kept: visited.places) }
            block.setLong(pointer, 0)
        }
        return block.bytes
    }

    /// Without the six bytes that JPEG, and some writers of other formats, put before the block.
    public static func withoutHeader(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: Array("Exif\0\0".utf8)) ? Array(bytes.dropFirst(6)) : bytes
    }

    /// Zeroes the picture that the directory at `at` leads to. What is `kept` is left alone: a directory that lies about
    /// where its picture is must not cost the tags.
    private static func eraseThumbnail(_ block: inout TIFFBlock, at: Int, kept: [Range<Int>]) {
        var found: [Int: Int] = [:]
        let visited = block.directory(at: at) { block, tag, place in
            // A picture in several strips has lists of their places instead: it is only cut off.
            if block.long(place + 4) == 1 { found[tag] = block.number(place) }
        }
        guard visited != nil, let start = found[jpegAt] ?? found[stripAt],
            let count = found[jpegAt] != nil ? found[jpegBytes] : found[stripBytes], start + 2 <= block.bytes.count
        else { return }
        // Programs that moved things may have left an old place behind, where something else is now.
        if found[jpegAt] != nil, block.bytes[start] != 0xff || block.bytes[start + 1] != 0xd8 { return }
        for i in start..<min(start + count, block.bytes.count) where !kept.contains(where: { $0 ~= i }) {
            block.bytes[i] = 0
        }
    }
}

/// A TIFF file's bytes, whose numbers are read with bounds.
private struct TIFFBlock {
    var bytes: [UInt8]
    private let isLittle: Bool

    private static let (short, longType) = (3, 4)
    private static let entryBytes = 12

    /// The tag that leads to EXIF's own directory.
    private static let exifDirectory = 0x8769

    /// Bytes of one value by its type's number.
    private static let sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]

    /// `afterFirst`: place of the pointer to the thumbnail's directory. `places`: where the header, the directories and
    /// the values of their entries lie.
    struct Visited {
        let afterFirst: Int?
        let places: [Range<Int>]
    }

    init?(_ bytes: [UInt8]) {
        switch Array(bytes.prefix(2)) {
        case Array("II".utf8): isLittle = true
        case Array("MM".utf8): isLittle = false
        default: return nil
        }
        self.bytes = bytes
    }

    /// Calls `entry` with (tag, place) for all of the main directory and of EXIF's own. Nil: damaged.
    mutating func visit(_ entry: (inout TIFFBlock, Int, Int) -> Void) -> Visited? {
        var exif: Int?
        var places = [0..<8]
        guard let first = long(4) else { return nil }
        let main = directory(at: first) { block, tag, place in
            if tag == Self.exifDirectory { exif = block.long(place + 8) }
            places += [block.values(place)].compactMap(\.self)
            entry(&block, tag, place)
        }
        guard let main else { return nil }
        places.append(main)
        if let exif {
            let own = directory(at: exif) { block, tag, place in
                places += [block.values(place)].compactMap(\.self)
                entry(&block, tag, place)
            }
            guard let own else { return nil }
            places.append(own)
        }
        let end = main.upperBound
        return Visited(afterFirst: end + 4 <= bytes.count ? end : nil, places: places)
    }

    /// Calls `entry` with (tag, place) for each; gives where it all lies. Nil: damaged.
    mutating func directory(at: Int, _ entry: (inout TIFFBlock, Int, Int) -> Void) -> Range<Int>? {
        guard let count = word(at), at + 2 + Self.entryBytes * count <= bytes.count else { return nil }
        for i in 0..<count {
            let place = at + 2 + Self.entryBytes * i
            if let tag = word(place) { entry(&self, tag, place) }
        }
        return at..<at + 2 + Self.entryBytes * count
    }

    /// Where the values of an entry lie that are not in the entry itself; nil if they are.
    private func values(_ place: Int) -> Range<Int>? {
        guard let type = word(place + 2), let count = long(place + 4), let start = long(place + 8) else { return nil }
        let size = (Self.sizes.indices ~= type ? Self.sizes[type] : 0) * count
        return size > 4 && start < bytes.count ? start..<min(start + size, bytes.count) : nil
    }

    func number(_ place: Int) -> Int {
        switch word(place + 2) {
        case Self.short: word(place + 8) ?? 0
        case Self.longType: long(place + 8) ?? 0
        default: 0
        }
    }

    /// A short that is too small for `value` becomes a long: an entry has room for either.
    mutating func setNumber(_ place: Int, _ value: Int) {
        if word(place + 2) == Self.short, value > 0xffff { put(place + 2, Self.longType, bytes: 2) }
        switch word(place + 2) {
        case Self.short: put(place + 8, value, bytes: 2)
        case Self.longType: put(place + 8, value, bytes: 4)
        default: break
        }
    }

    func word(_ place: Int) -> Int? { value(place, bytes: 2) }

    func long(_ place: Int) -> Int? { value(place, bytes: 4) }

    mutating func setLong(_ place: Int, _ value: Int) { put(place, value, bytes: 4) }

    private func value(_ place: Int, bytes count: Int) -> Int? {
        guard place >= 0, place + count <= bytes.count else { return nil }
        let piece = bytes[place..<place + count]
        let ordered = isLittle ? Array(piece.reversed()) : Array(piece)
        return ordered.reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func put(_ place: Int, _ value: Int, bytes count: Int) {
        guard place >= 0, place + count <= bytes.count else { return }
        for i in 0..<count {
            let shift = 8 * (isLittle ? i : count - 1 - i)
            bytes[place + i] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }
}

import Foundation

/// The fixed tiles that every program is compared on, as `anyir ios stage` writes them.
///
/// Inputs and truths are kept as bytes; what the network made of them is read from its file one tile at a time. Every
/// tile is checked against its sha256.
public struct ReferenceTiles: Sendable {
    /// One tile of the set: its degradation, and the place of its truth among the distinct ones.
    public struct Case: Sendable {
        public let kind: String
        public let truth: Int
        let outputSha256: String
    }

    private struct Index: Decodable {
        struct Case: Decodable {
            let kind: String, truth: Int
            let inputSha256: String, truthSha256: String, outputSha256: String
        }

        let schema: Int, tile: Int
        let cases: [Case]
        let summary: JSONValue
    }

    private static let maxTile = 1024

    /// Side of the tiles in pixels.
    public let tile: Int
    public let cases: [Case]

    /// The entry `reference` of a results file.
    public let summary: JSONValue

    private let outputs: URL
    private let inputs: [Data]
    private let truths: [Data]

    /// - Parameter folder: with reference.json, inputs.u8, truths.u8 and outputs.f32
    /// - Throws: ``ReferenceError``: there is no set, or it is damaged
    public init(folder: URL) throws(ReferenceError) {
        let file = folder.appendingPathComponent("reference.json")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw ReferenceError("There are no reference tiles in this build; `anyir ios stage` puts them in.")
        }
        let index: Index
        do {
            index = try Results.decoder.decode(Index.self, from: Data(contentsOf: file))
        } catch {
            throw damaged("their index is not by its schema")
        }
        guard index.schema == 1 else { throw damaged("they are of another version") }
        tile = index.tile
        guard sizeMultiple...Self.maxTile ~= tile, tile % sizeMultiple == 0 else {
            throw damaged("their size is \(index.tile)")
        }
        guard !index.cases.isEmpty else { throw damaged("there is no tile") }
        cases = index.cases.map { Case(kind: $0.kind, truth: $0.truth, outputSha256: $0.outputSha256) }
        summary = index.summary
        outputs = folder.appendingPathComponent("outputs.f32")
        let bytes = 3 * tile * tile
        inputs = try tiles(
            folder.appendingPathComponent("inputs.u8"), bytes: bytes, hashes: index.cases.map(\.inputSha256))
        var hashes: [Int: String] = [:]
        for one in index.cases { hashes[one.truth] = one.truthSha256 }
        let order = hashes.keys.sorted()
        guard order == Array(0..<order.count) else { throw damaged("a truth is missing") }
        truths = try tiles(
            folder.appendingPathComponent("truths.u8"), bytes: bytes, hashes: order.compactMap { hashes[$0] })
    }

    /// Sha256 of the weights whose outputs these are.
    public var weightsSha256: String? {
        if case .object(let entries) = summary, case .text(let hash) = entries["weights_sha256"] { return hash }
        return nil
    }

    /// Why a program of this sheet and these tiles cannot be compared with them; nil where it can.
    func misfit(tile side: Int, tileSize: TileSize) -> String? {
        if side != tile { return "It takes tiles of \(side) and the reference has tiles of \(tile)." }
        return tileSize == TileSize(side: tile)
            ? nil : "It takes tiles of \(tileSize); `anyir profile` measures such programs, this app square ones."
    }

    /// Puts the input of one case into a buffer: floats in 0..1, as the programs take them.
    func input(_ index: Int, into buffer: FloatBuffer) { fill(inputs[index], into: buffer) }

    /// The same of its truth.
    func truth(_ index: Int, into buffer: FloatBuffer) { fill(truths[cases[index].truth], into: buffer) }

    /// The network's output for one case.
    ///
    /// - Throws: ``ReferenceError``
    func output(_ index: Int, into buffer: FloatBuffer) throws(ReferenceError) {
        let bytes = 4 * buffer.count
        guard let data = read(outputs, at: index * bytes, count: bytes) else {
            throw damaged("outputs.f32 cannot be read or is too short")
        }
        guard sha256(data) == cases[index].outputSha256 else { throw damaged("outputs.f32 was changed") }
        _ = data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer.values))
    }

    private func fill(_ bytes: Data, into buffer: FloatBuffer) {
        for (i, value) in bytes.enumerated() { buffer.values[i] = Float(value) / 255 }
    }
}

private func tiles(_ url: URL, bytes: Int, hashes: [String]) throws(ReferenceError) -> [Data] {
    let name = url.lastPathComponent
    var tiles: [Data] = []
    for (i, hash) in hashes.enumerated() {
        guard let data = read(url, at: i * bytes, count: bytes) else {
            throw damaged("\(name) cannot be read or is too short")
        }
        guard sha256(data) == hash else { throw damaged("\(name) was changed") }
        tiles.append(data)
    }
    return tiles
}

/// Nil where there are not so many bytes.
private func read(_ url: URL, at offset: Int, count: Int) -> Data? {
    guard let file = try? FileHandle(forReadingFrom: url) else { return nil }
    defer { try? file.close() }
    guard (try? file.seek(toOffset: UInt64(offset))) != nil, let data = try? file.read(upToCount: count),
        data.count == count
    else { return nil }
    return data
}

private func damaged(_ how: String) -> ReferenceError {
    ReferenceError("The reference tiles are damaged: \(how); run `anyir ios stage` again.")
}

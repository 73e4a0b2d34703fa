import Foundation

#if canImport(CryptoKit)
    import CryptoKit

    typealias SHA256Digest = CryptoKit.SHA256
#else
    typealias SHA256Digest = PortableSHA256
#endif

/// Hex sha256 of bytes.
public func sha256(_ data: Data) -> String {
    var digest = SHA256Digest()
    digest.update(data: data)
    return hex(digest.finalize())
}

/// Hex sha256 of a file, read in pieces; of a folder such as an `.mlpackage`, the sha256 of one line
/// `<sha256>  <path inside the folder>` for each of its files, sorted by path: what `sha256sum` prints.
///
/// The same as conversion/manifest.py's `tree_sha256`.
public func sha256(at url: URL) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
        return try sha256(ofFile: url)
    }
    let names = try FileManager.default.subpathsOfDirectory(atPath: url.path).filter { name in
        var isFolder: ObjCBool = false
        let path = url.appendingPathComponent(name).path
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }
    // Python sorts by code points, Swift's < by something else.
    let sorted = names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    let lines = try sorted.map { "\(try sha256(ofFile: url.appendingPathComponent($0)))  \($0)\n" }
    return sha256(Data(lines.joined().utf8))
}

private func sha256(ofFile url: URL) throws -> String {
    let file = try FileHandle(forReadingFrom: url)
    defer { try? file.close() }
    var digest = SHA256Digest()
    while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { digest.update(data: piece) }
    return hex(digest.finalize())
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

/// SHA-256 by FIPS 180-4, for systems without CryptoKit.
package struct PortableSHA256 {
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var pending: [UInt8] = []
    private var bytes: UInt64 = 0

    package init() {}

    package mutating func update(data: some Sequence<UInt8>) {
        pending.append(contentsOf: data)
        let whole = pending.count / 64 * 64
        bytes += UInt64(whole)
        pending.withUnsafeBufferPointer { bytes in
            for start in stride(from: 0, to: whole, by: 64) { Self.digest(bytes, start, &state) }
        }
        pending.removeFirst(whole)
    }

    package mutating func finalize() -> [UInt8] {
        let bits = (bytes + UInt64(pending.count)) * 8
        var end: [UInt8] = [0x80]
        while (pending.count + end.count) % 64 != 56 { end.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) { end.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        update(data: end)
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    }

    private static func digest(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ state: inout [UInt32]) {
        func turned(_ x: UInt32, _ by: UInt32) -> UInt32 { x >> by | x << (32 - by) }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for i in 0..<16 {
                let at = start + 4 * i
                w[i] = UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                w[i] |= UInt32(bytes[at + 3])
            }
            for i in 16..<64 {
                let s0 = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ w[i - 15] >> 3
                let s1 = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ w[i - 2] >> 10
                w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for i in 0..<64 {
                let s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
                let first = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[i] &+ w[i]
                let s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
                let second = s0 &+ (a & b ^ a & c ^ b & c)
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
        }
    }
}

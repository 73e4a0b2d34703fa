/// What the command was asked to do.
struct Arguments {
    static let usage = "usage: anyir-swift PHOTO RESULT --with ARTIFACT (or --help)"

    static let help = """
        \(usage)

        Restores a photo with a program that `anyir convert` made, through the core of the iOS app. On Linux it runs
        LiteRT and ExecuTorch programs with the libraries of the Python environment whose folder site-packages
        ANYIR_PACKAGES names; on macOS Core ML packages.

          PHOTO            the photo to restore: \(PhotoFile.suffixes.joined(separator: ", "))
          RESULT           the restored photo: its suffix is its format; never written over. It has the photo's EXIF,
                           upright, and its colour profile; a JPEG has quality 95
          --with ARTIFACT  the program; its manifest, the .json of the same name, lies beside it
          --help           this text

        Exit codes: 0 restored; 1 it could not be done, and one line says why; 2 wrong arguments.

        Example: anyir-swift photo.jpg restored.jpg --with build/artifacts/small_litert_cpu_fp32_256x256.tflite
        """

    let photo: String
    let result: String
    let artifact: String

    /// The arguments say something else, in one sentence.
    struct Wrong: Error {
        let sentence: String
    }

    /// - Parameter words: without the command's name
    /// - Returns: nil where help is asked for
    static func parse(_ words: [String]) throws(Wrong) -> Arguments? {
        if words.contains("--help") || words.contains("-h") { return nil }
        var places: [String] = []
        var artifact: String?
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--with" {
                guard artifact == nil else { throw Wrong(sentence: "--with is given twice") }
                guard let name = rest.popFirst() else { throw Wrong(sentence: "--with names no artifact") }
                artifact = name
            } else if word.hasPrefix("-"), word != "-" {
                throw Wrong(sentence: "there is no option \(word)")
            } else {
                places.append(word)
            }
        }
        guard places.count >= 2 else {
            throw Wrong(sentence: places.isEmpty ? "no photo is named" : "no result is named")
        }
        guard places.count == 2 else { throw Wrong(sentence: "\(places[2]) is one name too many") }
        guard let artifact else { throw Wrong(sentence: "no artifact is named") }
        return Arguments(photo: places[0], result: places[1], artifact: artifact)
    }
}

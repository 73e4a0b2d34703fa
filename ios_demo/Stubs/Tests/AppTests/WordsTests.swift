import AnyIRCore
import AnyIRState
import Testing

@testable import AnyIR

@Suite struct WordsTests {
    @Test func timesAreWordsThatDoNotFlicker() {
        #expect(Words.left(.seconds(3)) == "a few seconds left")
        #expect(Words.left(.seconds(22)) == "about 20 seconds left")
        #expect(Words.left(.seconds(100)) == "about 2 minutes left")
        #expect(Words.duration(12.34) == "12.3 s")
        #expect(Words.duration(125) == "2 min 5 s")
    }

    /// Every precision of `anyir convert`; tests/ios_demo compares them with its recipes.
    @Test(arguments: [
        "fp32", "fp16", "int8", "int16x8", "mixed", "int8w", "pal6", "pal4", "pal6g", "pal4g",
    ])
    func everyPrecisionHasAName(precision: String) {
        #expect(Words.precision(precision) != precision)
        #expect(Words.goodFor(precision)?.hasSuffix(".") == true)
    }

    @Test func speedsSayWhatTheyAreOf() {
        #expect(Words.speed(nil) == "Not measured on this device yet")
        #expect(Words.speed(Speed(seconds: 0.21, benchmarked: true)) == "On this device: 210 ms a tile")
        #expect(Words.speed(Speed(seconds: 1.5, benchmarked: false)).hasPrefix("On this device: 1.5 s a tile, with"))
    }

    @Test func reasonsBecomeSentences() {
        #expect(Words.sentence("not in this build") == "Not in this build")
        #expect(Words.sentence("not on this device") == "Not on this device")
    }

    @Test func everyNeedIsOneSentenceWithItsNumberAndTheBound() {
        let cases: [(Need, String)] = [
            (need(0.94, 0.5, 0.1, -0.6), "This photo looks fine: little changes (0.94"),
            (need(2.49, 0, 9, -9), "This photo looks fine: little changes (2.49"),
            (need(24.31, -30, 12, -0.4), "Needs less haze, rain or snow (24.31"),
            (need(24, -30, 12, -1.5), "Needs less haze, rain or snow, and less noise (24"),
            (need(40, 30, 12, 4), "Needs more light (40"),
            (need(3, 0, 0, 0.5), "Needs a sharper picture (3"),
            (need(3, -3, 0, 0), "Needs restoring (3"),
        ]
        for (need, sentence) in cases {
            #expect(Words.need(need) == "\(sentence) of 255; a fault is 2.5 or more).")
        }
    }

    private func need(_ change: Double, _ brightness: Double, _ contrast: Double, _ detail: Double) -> Need {
        Need(change: change, brightness: brightness, contrast: contrast, detail: detail)
    }
}

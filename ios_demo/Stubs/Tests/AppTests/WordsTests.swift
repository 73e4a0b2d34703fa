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

    @Test func speedsSayWhatTheyAreOf() {
        #expect(Words.speed(nil) == "Not measured on this device yet")
        #expect(Words.speed(Speed(seconds: 0.21, benchmarked: true)) == "On this device: 210 ms a tile")
        #expect(Words.speed(Speed(seconds: 1.5, benchmarked: false)).hasPrefix("On this device: 1.5 s a tile, with"))
    }

    @Test func reasonsBecomeSentences() {
        #expect(Words.sentence("not in this build") == "Not in this build")
        #expect(Words.sentence("not on this device") == "Not on this device")
    }
}

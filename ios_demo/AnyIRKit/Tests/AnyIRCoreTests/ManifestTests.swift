import AnyIRCore
import Foundation
import Testing

private struct Verdict: Decodable {
    let manifest: JSONValue
    let valid: Bool
}

@Suite struct ManifestTests {
    @Test(.enabled(if: artifacts != nil, "needs ANYIR_ARTIFACTS"))
    func whatTheSchemaTakesIsTakenAndWhatItRefusesIsRefused() throws {
        let file = try #require(artifacts).appendingPathComponent("manifests.json")
        let verdicts = try JSONDecoder().decode([Verdict].self, from: Data(contentsOf: file))
        #expect(verdicts.count >= 200)
        #expect(verdicts.count { $0.valid } > 50 && verdicts.count { !$0.valid } > 50)
        for verdict in verdicts {
            let text = try JSONEncoder().encode(verdict.manifest)
            do throws(ManifestError) {
                _ = try Manifest.parse(text)
                #expect(verdict.valid, "\(String(decoding: text, as: UTF8.self))")
            } catch {
                #expect(!verdict.valid, "\(error): \(String(decoding: text, as: UTF8.self))")
                #expect(error.sentence.hasSuffix(".") && !error.sentence.contains("\n"))
            }
        }
    }

    @Test func everyEntryIsRead() throws {
        let manifest = try Manifest.parse(sampleManifest())
        #expect(manifest.name == "small_litert_cpu_int8w_64x64")
        #expect(manifest.runtime == .litert)
        #expect(manifest.tile == 64)
        #expect(manifest.tileSize == TileSize(height: 48, width: 80))
        #expect(manifest.otherSizes?.map(\.size) == [TileSize(height: 24, width: 16)])
        let samples = manifest.otherSizes?.first?.parity.samples
        #expect(samples?.map(\.photo) == [2])
        #expect(samples?.map(\.values) == [[0.25]])
        #expect(manifest.bytes == 1_234_567_890_123)
        #expect(manifest.entries.look.inputs.map(\.shape) == [[1, 3, 64, 64]])
        #expect(manifest.entries.restore.inputs.map(\.name) == ["image", "statistics_0", "statistics_1"])
        #expect(manifest.entries.statistics == Array(manifest.entries.restore.inputs.dropFirst()))
        #expect(manifest.entries.statistics.map(\.count) == [32, 8])
        #expect(manifest.entries.look.operators == Operators(total: 400, delegated: 400, partitions: nil))
        #expect(manifest.quantization?.keptFloat == ["*.norm"])
        #expect(manifest.parity.status == .measured)
        #expect(manifest.parity.stages.contains { $0.against == "literal" && $0.psnr == 52.6 })
        #expect(manifest.parity.bounds == ["max_error": nil, "psnr": 38])
        #expect(manifest.parity.samples.map(\.values) == [[0.5, -0.001]])
        #expect(manifest.versions == ["ai-edge-litert": "2.3.0"])
        #expect(manifest.source.config["dim"] == .number(24))
        #expect(manifest.oldestRuntime == "tflite-runtime 2.14.0")
    }

    @Test(
        arguments: [
            (400, 300, "ExecuTorch (XNNPACK)"), (400, 299, "ExecuTorch (XNNPACK and portable kernels)"),
            (nil, 300, "ExecuTorch (XNNPACK and portable kernels)"),
        ] as [(Int?, Int, String)])
    func executorchsAcceleratorSaysWhatIsNotDelegated(look: Int?, restore: Int, accelerator: String) throws {
        var entries = try Manifest.parse(sampleManifest()).entries
        entries.look.operators = Operators(total: 400, delegated: look, partitions: 1)
        entries.restore.operators = Operators(total: 300, delegated: restore, partitions: 1)
        #expect(entries.executorchAccelerator == accelerator)
    }

    @Test func thatNoOldRuntimeWasTriedMayBeLeftOut() throws {
        let field = #","oldest_runtime":"tflite-runtime 2.14.0""#
        let text = sampleText().replacingOccurrences(of: "\n", with: "").replacingOccurrences(of: field, with: "")
        #expect(!text.contains("oldest_runtime"))
        #expect(try Manifest.parse(Data(text.utf8)).oldestRuntime == nil)
    }

    @Test func tilesAreAsLargeAsSheetsUnlessItSaysSo() throws {
        let field = #""restore_size":{"height":48,"width":80},"#
        let manifest = try Manifest.parse(Data(sampleText().replacingOccurrences(of: field, with: "").utf8))
        #expect(manifest.restoreSize == nil && manifest.tileSize == TileSize(side: 64))
    }

    @Test(arguments: ["1", "3", nil])
    func anotherVersionIsNamed(version: String?) throws {
        let field = "\"schema_version\":2,"
        let text = sampleText().replacingOccurrences(of: field, with: version.map { "\"schema_version\":\($0)," } ?? "")
        #expect(
            throws: ManifestError(
                "The manifest has schema version \(version ?? "1") and this app reads version 2: convert the model again."
            )
        ) { try Manifest.parse(Data(text.utf8)) }
    }

    @Test func thePlaceOfAFaultIsNamed() {
        let text = sampleText().replacingOccurrences(
            of: "\"dtype\":\"float32\",\"layout\":\"NCHW\"", with: "\"dtype\":3")
        #expect(throws: ManifestError("The manifest is not by schema 2: entries.look.inputs.0.dtype is not a text.")) {
            try Manifest.parse(Data(text.utf8))
        }
    }

    @Test func whatIsNoJSONObjectIsRefusedInOneSentence() {
        let sample = sampleText()
        let texts = [
            "", " ", "null", "[]", "{", "{'name': 1}", "{\"name\": NaN}", sample + "x", String(sample.dropLast()),
            String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000), "\u{0}",
            sample.replacingOccurrences(of: "\"tile\":64", with: "\"tile\":1e999999999"),
            sample.replacingOccurrences(of: "\"tile\":64", with: "\"tile\":1e30"),
            sample.replacingOccurrences(of: "\"tile\":64", with: "\"tile\":64.5"),
        ]
        for text in texts {
            #expect(throws: ManifestError.self, "\(text.prefix(40))") { try Manifest.parse(Data(text.utf8)) }
        }
        #expect(throws: ManifestError.self) { try Manifest.parse(Data([0xff, 0xfe, 0x00])) }
    }
}

func sampleManifest() -> Data { Data(sampleText().utf8) }

/// A manifest that has every kind of entry.
func sampleText(name: String = "small_litert_cpu_int8w_64x64", sha256: String = "00ff") -> String {
    func image(_ name: String, _ size: String) -> String {
        #"{"name":"\#(name)","shape":[1,3,\#(size)],"dtype":"float32","layout":"NCHW","range":[0,1]}"#
    }
    let statistics = #"""
        {"name":"statistics_0","shape":[1,2,4,4],"dtype":"float32","layout":"opaque","range":null},
        {"name":"statistics_1","shape":[1,8,1,1],"dtype":"float32","layout":"opaque","range":null}
        """#
    return #"""
        {"schema_version":2,"name":"\#(name)","file":"\#(name).tflite","sha256":"\#(sha256)","bytes":1234567890123,
        "source":{"file":"small.safetensors","sha256":"ab","preset":"small","config":{"dim":24,"heads":[1,2]}},
        "runtime":"litert","backend":"cpu","precision":"int8w","target":null,"tile":64,
        "restore_size":{"height":48,"width":80},
        "other_sizes":[{"height":24,"width":16,"parity":{"status":"evaluated","reason":"no Core ML","bounds":{},
        "stages":[],"degradations":[],"samples":[{"case":2,"values":[0.25]}]}}],
        "entries":{
        "look":{"inputs":[\#(image("image", "64,64"))],"outputs":[\#(statistics)],
        "operators":{"total":400,"delegated":400,"partitions":null}},
        "restore":{"inputs":[\#(image("image", "48,80")),\#(statistics)],"outputs":[\#(image("restored", "48,80"))],
        "operators":{"total":321,"delegated":321,"partitions":1}}},
        "quantization":{"method":"weights","bits":8,"details":"per channel","calibration":null,"kept_float":["*.norm"]},
        "parity":{"status":"measured","reason":null,"bounds":{"max_error":null,"psnr":38.0},
        "stages":[{"stage":"artifact","entry":"restore","against":"literal","max_error":0.01,"psnr":52.6}],
        "degradations":[{"kind":"noise","literal_psnr":30.5,"artifact_psnr":30.4,"loss":0.1}],
        "samples":[{"case":0,"values":[0.5,-0.001]}]},
        "versions":{"ai-edge-litert":"2.3.0"},"code_sha256":"cd","seconds":1.5,
        "oldest_runtime":"tflite-runtime 2.14.0"}
        """#
}

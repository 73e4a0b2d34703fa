package org.anyir.demo.ui

import java.io.File
import java.security.MessageDigest

/** A model's file and its manifest, as the model store takes them; what is in the file only a test engine opens. */
fun testModelFiles(
    folder: File,
    name: String = "test_litert_cpu_fp16_64x64",
    tile: Int = 64,
    precision: String = "fp16",
): List<File> {
    folder.mkdirs()
    val file = File(folder, "$name.tflite").apply { writeText("no real program: $name") }
    val sha256 = MessageDigest.getInstance("SHA-256").digest(file.readBytes()).joinToString("") { "%02x".format(it) }
    val entries = testEntries(tile)
    val manifest = File(folder, "$name.json").apply {
        writeText(
            """
            {"schema_version": 2, "name": "$name", "file": "${file.name}", "sha256": "$sha256",
             "bytes": ${file.length()},
             "source": {"file": "tiny.safetensors", "sha256": "$sha256", "preset": "tiny", "config": {}},
             "runtime": "litert", "backend": "cpu", "precision": "$precision", "target": null, "tile": $tile,
             "entries": $entries, "quantization": null,
             "parity": {"status": "not measured", "reason": "a test", "bounds": {}, "stages": [], "degradations": [],
                        "samples": []},
             "versions": {}, "code_sha256": "$sha256", "seconds": 0.1}
            """.trimIndent(),
        )
    }
    return listOf(file, manifest)
}

/** A manifest's `entries`: a look that finds one value. */
fun testEntries(tile: Int): String {
    fun image(name: String) =
        """{"name": "$name", "shape": [1, 3, $tile, $tile], "dtype": "float32", "layout": "NCHW", "range": [0, 1]}"""
    val found = """{"name": "statistics_0", "shape": [1], "dtype": "float32", "layout": "opaque", "range": null}"""
    val operators = """{"total": 1, "delegated": 1, "partitions": 1}"""
    return """{"look": {"inputs": [${image("image")}], "outputs": [$found], "operators": $operators},
        "restore": {"inputs": [${image("image")}, $found], "outputs": [${image("restored")}],
        "operators": $operators}}"""
}
